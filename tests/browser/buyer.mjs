/** A buyer: one browser context on the shop, with the steps of a purchase. Every step waits for what it needs to see. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { system } from './system.mjs';

export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
export const DESKTOP = { viewport: { width: 1280, height: 900 } };

/** Products of the demo catalogue of which there are always enough. */
export const PRODUCTS = ['hanji-notebook', 'sticker'];

/** How long a fact may take to appear: far above what it takes, so that only a fault reaches it. */
const WAIT_MAX_MS = 25_000;

const shots = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../target/browser');

/**
 * One test with a buyer of its own, and with `start` on a system of its own, which the story gets too. A failure leaves
 * a picture of the page in target/browser.
 */
export function story(rule, { start, ...options }, tell) {
  test(rule, { timeout: 120_000 }, async () => {
    const own = await start?.();
    let buyer;
    try {
      buyer = await Buyer.arrive(options, own);
      await tell(buyer, own);
      if (buyer.errors.length) throw new Error(`the page threw: ${buyer.errors.join('; ')}`);
    } catch (error) {
      if (!buyer) throw error;
      await mkdir(shots, { recursive: true });
      const picture = path.join(shots, `${rule.replace(/\W+/g, '-')}.png`);
      await buyer.page.screenshot({ path: picture, fullPage: true }).catch(() => {});
      error.message += `\n  page: ${buyer.page.url()}\n  picture: ${picture}`;
      throw error;
    } finally {
      await buyer?.context.close();
      await own?.stop();
    }
  });
}

export class Buyer {
  static async arrive(options = DESKTOP, shop = system) {
    const buyer = new Buyer();
    buyer.shop = shop;
    buyer.onPhone = Boolean(options.isMobile);
    buyer.context = await system.browser.newContext({ locale: 'ko-KR', ...options });
    buyer.context.setDefaultTimeout(WAIT_MAX_MS);
    await buyer.open();
    return buyer;
  }

  errors = [];

  /** Every answer of the API that the page got, `{method, path, status, key}`. */
  answers = [];

  /** A new tab on the shop. */
  async open(path = '') {
    this.page = await this.context.newPage();
    this.page.on('pageerror', (error) => this.errors.push(error.message));
    this.page.on('response', (response) => {
      const { pathname, origin } = new URL(response.url());
      if (`${origin}/` !== this.shop.url) return;
      const request = response.request();
      this.answers.push({ method: request.method(), path: pathname, status: response.status(), key: request.headers()['idempotency-key'] });
    });
    await this.page.goto(this.shop.url + path);
  }

  at(selector) {
    return this.page.locator(selector);
  }

  /** Puts products into the order. */
  async choose(products = PRODUCTS) {
    for (const product of products) await this.at(`[data-product=${product}] .add`).click();
  }

  async fillIn({ name = '홍길동', email = 'buyer@example.com', phone = '010-1234-5678', payMethod = 'CARD', sdk } = {}) {
    await this.at('#bar a').click();
    await this.at('#name').fill(name);
    await this.at('#email').fill(email);
    await this.at('#phone').fill(phone);
    await this.at(`[name=payMethod][value=${payMethod}]`).check();
    if (sdk) await this.at(`[name=sdk][value=${sdk}]`).check();
  }

  /** From the door to the payment window; answers the order's id. */
  async order(details) {
    await this.choose();
    await this.fillIn(details);
    await this.at('#pay').click();
    await this.window('close').waitFor();
    return this.orderId();
  }

  /**
   * A button of PortOne's window, which is a frame on a PC and the page itself on a phone. Its script has run once the
   * payment's number stands there; before that a press would be lost.
   */
  window(action) {
    const place = this.onPhone ? this.page : this.page.frameLocator('iframe');
    return place.locator(`body:has(#payment-id:not(:empty)) [data-action="${action}"]`);
  }

  /** What the browser keeps of its orders, newest first: `{orderId, orderToken, …}`. */
  async known() {
    const stored = await this.context.storageState();
    const shop = stored.origins.find(({ origin }) => `${origin}/` === this.shop.url);
    return JSON.parse(shop?.localStorage.find(({ name }) => name === 'checkout')?.value ?? '{"orders":[]}').orders;
  }

  async orderId() {
    return (await this.known())[0].orderId;
  }

  /** Waits until the page tells this of the order: an order's status, or DECLINED, CLOSED, … (see checkout.d.ts). */
  async isTold(telling) {
    await this.at(`#receipt[data-outcome="${telling}"]`).waitFor();
  }

  /** As in another browser. On a file of the shop's, since a phone may be at the payment window now. */
  async forgetAll() {
    await this.page.goto(`${this.shop.url}shop.css`);
    await this.page.evaluate(() => localStorage.clear());
  }

  posts(path) {
    return this.answers.filter((answer) => answer.method === 'POST' && answer.path === path);
  }

  /** The order of this browser as the API has it. */
  async orderNow() {
    const [known] = await this.known();
    return (await readOrder(known, this.shop)).body;
  }
}

/** The order as the API shows it to the holder of its token. */
export async function readOrder({ orderId, orderToken }, shop = system) {
  const response = await fetch(`${shop.url}orders/${orderId}`, { headers: { Authorization: `Bearer ${orderToken}` } });
  return { status: response.status, body: await response.json() };
}

/** Asks until the answer satisfies: for facts that come about outside any page. */
export async function eventually(ask, satisfied) {
  const late = Date.now() + WAIT_MAX_MS;
  for (;;) {
    const answer = await ask();
    if (satisfied(answer)) return answer;
    if (Date.now() > late) throw new Error(`never came about; last seen: ${JSON.stringify(answer)}`);
    await new Promise((resume) => setTimeout(resume, 50));
  }
}
