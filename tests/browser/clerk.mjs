/** Someone at the operators' console, and the orders they have to do with, made without any page. */
import { randomUUID } from 'node:crypto';
import { simulator } from './simulator.mjs';
import { system } from './system.mjs';

const LOCAL_KEYS = /"credentials":\{[^}]*\},?/;

/** An order nobody paid yet, in the suite's system or in `at`: `{orderId, total}`. */
export async function placed({ productId = 'hanji-notebook', quantity = 2, at = system, ...more } = {}) {
  const order = { items: [{ productId, quantity }], customer: { name: '홍길동', email: 'buyer@example.com', phone: '01012345678' }, ...more };
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID() };
  const response = await fetch(new URL('orders', at.url), { method: 'POST', headers, body: JSON.stringify(order) });
  if (response.status !== 201) throw new Error(await response.text());
  const { orderId, amount } = await response.json();
  return { orderId, total: amount.total };
}

/** Looks at PortOne as the buyer's page would. */
export async function reported(body) {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(new URL('payments/verify', system.url), { method: 'POST', headers, body: JSON.stringify(body) });
  await response.text();
  return response.status;
}

/** An order whose money came: as `placed`, with what PortOne shows for it. */
export async function paid({ spec = {}, isReported = true, ...wanted } = {}) {
  const order = await placed(wanted);
  const payMethod = wanted.payMethod ?? 'CARD';
  const payment = await simulator.put(order.orderId, { totalAmount: order.total, payMethod, customer: { name: '홍길동' }, ...spec });
  const { transactionId } = payment;
  const body = spec.version === 'V1' ? { imp_uid: transactionId, merchant_uid: order.orderId } : { paymentId: order.orderId };
  if (isReported) await reported(body);
  return { ...order, payment };
}

/** A tab of this person's at the console, signed in unless `signIn` says how to. */
export class Clerk {
  constructor(buyer) {
    this.buyer = buyer;
  }

  /** Opens the console at `hash`. `config` replaces how one signs in. */
  async open(hash = '', { signIn } = {}) {
    if (signIn) {
      await this.buyer.context.route('**/operator/config.js', async (route) => {
        const response = await route.fetch();
        const text = (await response.text()).replace(LOCAL_KEYS, '').replace(/"signIn":\{[^}]*\}/, `"signIn":${JSON.stringify(signIn)}`);
        await route.fulfill({ response, body: text });
      });
    }
    await this.buyer.open(`operator/${hash}`);
    this.page = this.buyer.page;
    return this;
  }

  at(selector) {
    return this.page.locator(selector);
  }

  async go(hash) {
    await this.page.evaluate((to) => (location.hash = to), hash);
  }

  /** An order's page, drawn. */
  async order(orderId) {
    await this.open(`#/orders/${orderId}`);
    await this.isShown(orderId);
  }

  async isShown(orderId) {
    await this.at('#order-body:not([hidden])').waitFor();
    await this.at('#order-title').filter({ hasText: orderId }).waitFor();
  }

  /** Waits for the order's status as the page words it. */
  async hasStatus(words) {
    await this.at('#order-status').filter({ hasText: words }).waitFor();
  }

  /** `[amount, outcome]` of each row of the ledger. */
  ledger() {
    return this.at('#ledger li').evaluateAll((rows) => rows.map((row) => [row.querySelector('.amount').textContent, row.dataset.status]));
  }

  /** Fills the form in as far as it is given, and presses up to the question whether to do it. */
  async wants({ amount, reason = '고객 변심', account } = {}) {
    if (amount !== undefined) {
      await this.at('[name=how][value=part]').check();
      await this.at('#amount').fill(String(amount));
    }
    await this.at('#reason').fill(reason);
    if (account) {
      if (await this.at('#bank').isVisible()) await this.at('#bank').selectOption(account.bank);
      else await this.at('#bank-code').fill(account.bank);
      await this.at('#account-number').fill(account.number);
      await this.at('#holder').fill(account.holder);
    }
    await this.at('#cancel-send').click();
  }

  async cancels(wanted) {
    await this.wants(wanted);
    await this.at('#confirm-yes').click();
  }
}

/** Money that PortOne gave back of a payment: how often, and how much. */
export async function givenBack(orderId) {
  const { cancellations = [] } = await simulator.payment(orderId);
  const done = cancellations.filter(({ status }) => status === 'SUCCEEDED');
  return { count: done.length, amount: done.reduce((sum, { totalAmount }) => sum + totalAmount, 0) };
}
