/** PortOne's own client for Node takes the simulator for PortOne. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PortOneClient, Webhook } from '@portone/server-sdk';
import { API_SECRET, Simulator, WEBHOOK_SECRETS } from './simulator.mjs';

let simulator;
let portone;

before(async () => {
  simulator = await Simulator.start();
  portone = PortOneClient({ secret: API_SECRET, baseUrl: simulator.url });
});
after(() => simulator?.stop());

let made = 0;
/** The id of a payment in this state. */
async function payment(spec) {
  made += 1;
  const id = `payment-${made}`;
  await simulator.put(id, spec);
  return id;
}

/** The call fails as PortOne's client says it, with this error type. */
async function refused(call, type) {
  await assert.rejects(call, (error) => {
    assert.equal(error.data?.type, type, `${error}: ${JSON.stringify(error.data)}`);
    assert.equal(typeof (error.data.message ?? ''), 'string');
    return true;
  });
}

const STATUSES = ['READY', 'PAY_PENDING', 'VIRTUAL_ACCOUNT_ISSUED', 'PAID', 'PARTIAL_CANCELLED', 'CANCELLED', 'FAILED'];

test('a payment of every status is read', async () => {
  for (const status of STATUSES) {
    const id = await payment({ status, totalAmount: 3000, currency: 'KRW' });
    const read = await portone.payment.getPayment({ paymentId: id });
    assert.equal(read.status, status);
    assert.equal(read.id, id);
    assert.equal(read.amount.total, 3000);
    assert.equal(read.currency, 'KRW');
    assert.equal(read.version, 'V2');
    assert.equal(typeof read.storeId, 'string');
    assert.ok(!Number.isNaN(Date.parse(read.statusChangedAt)));
  }
});

test('a payment of every method is read with that method', async () => {
  const methods = {
    CARD: 'PaymentMethodCard',
    TRANSFER: 'PaymentMethodTransfer',
    VIRTUAL_ACCOUNT: 'PaymentMethodVirtualAccount',
    MOBILE: 'PaymentMethodMobile',
    EASY_PAY: 'PaymentMethodEasyPay',
    GIFT_CERTIFICATE: 'PaymentMethodGiftCertificate',
  };
  for (const [payMethod, type] of Object.entries(methods)) {
    const id = await payment({ payMethod });
    const read = await portone.payment.getPayment({ paymentId: id });
    assert.equal(read.method.type, type);
  }
});

test('an id is the same whatever is in it', async () => {
  for (const id of ['a b', '주문-1', 'a/b?c#d', '100%', 'a+b&c=d', "'\"<>"]) {
    await simulator.put(id, {});
    assert.equal((await portone.payment.getPayment({ paymentId: id })).id, id);
  }
});

test('a payment that is not there is PAYMENT_NOT_FOUND', async () => {
  await refused(portone.payment.getPayment({ paymentId: 'nobody-paid-this' }), 'PAYMENT_NOT_FOUND');
  await refused(portone.payment.cancelPayment({ paymentId: 'nobody-paid-this', reason: '변심' }), 'PAYMENT_NOT_FOUND');
});

test('a wrong secret is UNAUTHORIZED everywhere', async () => {
  const stranger = PortOneClient({ secret: 'not-the-secret', baseUrl: simulator.url });
  const id = await payment();
  for (const call of [
    () => stranger.payment.getPayment({ paymentId: id }),
    () => stranger.payment.getPayments(),
    () => stranger.payment.getAllPaymentsByCursor(),
    () => stranger.payment.preRegisterPayment({ paymentId: 'new', totalAmount: 1 }),
    () => stranger.payment.cancelPayment({ paymentId: id, reason: '변심' }),
    () => stranger.auth.loginViaApiSecret({ apiSecret: 'not-the-secret' }),
  ]) {
    await refused(call(), 'UNAUTHORIZED');
  }
  assert.equal((await portone.payment.getPayment({ paymentId: id })).status, 'PAID');
});

test('a store that is not the credential\'s is FORBIDDEN', async () => {
  const id = await payment();
  await refused(portone.payment.getPayment({ paymentId: id, storeId: 'store-of-somebody-else' }), 'FORBIDDEN');
});

test('a payment is cancelled in whole', async () => {
  const id = await payment({ totalAmount: 3000 });
  const { cancellation } = await portone.payment.cancelPayment({ paymentId: id, reason: '변심' });
  assert.equal(cancellation.status, 'SUCCEEDED');
  assert.equal(cancellation.totalAmount, 3000);
  assert.equal(cancellation.reason, '변심');
  const read = await portone.payment.getPayment({ paymentId: id });
  assert.equal(read.status, 'CANCELLED');
  assert.equal(read.amount.cancelled, 3000);
  assert.deepEqual(read.cancellations.map(({ id }) => id), [cancellation.id]);
});

test('a payment is cancelled in parts to the end, and no further', async () => {
  const id = await payment({ totalAmount: 3000 });
  const cancel = (amount, currentCancellableAmount) =>
    portone.payment.cancelPayment({ paymentId: id, reason: '변심', amount, currentCancellableAmount });
  assert.equal((await cancel(1000, 3000)).cancellation.totalAmount, 1000);
  assert.equal((await portone.payment.getPayment({ paymentId: id })).status, 'PARTIAL_CANCELLED');
  await refused(cancel(1000, 3000), 'CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN');
  await refused(cancel(2001), 'CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT');
  assert.equal((await cancel(2000, 2000)).cancellation.status, 'SUCCEEDED');
  await refused(cancel(1), 'PAYMENT_ALREADY_CANCELLED');
  const read = await portone.payment.getPayment({ paymentId: id });
  assert.equal(read.status, 'CANCELLED');
  assert.deepEqual(read.cancellations.map(({ totalAmount }) => totalAmount), [1000, 2000]);
});

test('a cancellation is refused as PortOne refuses it', async () => {
  const unpaid = await payment({ status: 'VIRTUAL_ACCOUNT_ISSUED' });
  await refused(portone.payment.cancelPayment({ paymentId: unpaid, reason: '변심' }), 'PAYMENT_NOT_PAID');
  const split = await payment({ totalAmount: 3000, taxFreeAmount: 1000 });
  const cancel = (more) => portone.payment.cancelPayment({ paymentId: split, reason: '변심', ...more });
  await refused(cancel({ amount: 100, taxFreeAmount: 90, vatAmount: 20 }), 'SUM_OF_PARTS_EXCEEDS_CANCEL_AMOUNT');
  await refused(cancel({ amount: 1500, taxFreeAmount: 1001 }), 'CANCEL_TAX_FREE_AMOUNT_EXCEEDS_CANCELLABLE_TAX_FREE_AMOUNT');
  await refused(cancel({ amount: 2500 }), 'CANCEL_TAX_AMOUNT_EXCEEDS_CANCELLABLE_TAX_AMOUNT');

  const id = await payment();
  await simulator.cancelMode(id, 'REFUSE_BY_PG');
  await assert.rejects(portone.payment.cancelPayment({ paymentId: id, reason: '변심' }), (error) => {
    assert.equal(error.data.type, 'PG_PROVIDER');
    assert.ok(error.data.pgCode && error.data.pgMessage);
    return true;
  });
  await simulator.cancelMode(id, 'FAIL_IN_BAND');
  const { cancellation } = await portone.payment.cancelPayment({ paymentId: id, reason: '변심' });
  assert.equal(cancellation.status, 'FAILED');
  assert.equal((await portone.payment.getPayment({ paymentId: id })).status, 'PAID');
});

test('a cancellation that the PG decides later is REQUESTED, and can be stopped', async () => {
  const id = await payment();
  await simulator.cancelMode(id, 'ASYNC');
  const { cancellation } = await portone.payment.cancelPayment({ paymentId: id, reason: '변심' });
  assert.equal(cancellation.status, 'REQUESTED');
  assert.equal((await portone.payment.getPayment({ paymentId: id })).status, 'PAID');
  await portone.payment.stopPaymentCancellation({ paymentId: id, cancellationId: cancellation.id });
  await refused(
    portone.payment.stopPaymentCancellation({ paymentId: id, cancellationId: cancellation.id }),
    'PAYMENT_CANCELLATION_NOT_PENDING',
  );
  const again = await portone.payment.cancelPayment({ paymentId: id, reason: '변심' });
  await simulator.act(id, 'approve-cancellation', { cancellationId: again.cancellation.id });
  assert.equal((await portone.payment.getPayment({ paymentId: id })).status, 'CANCELLED');
});

test('money of a virtual account goes back to an account only', async () => {
  const id = await payment({ payMethod: 'VIRTUAL_ACCOUNT' });
  await refused(portone.payment.cancelPayment({ paymentId: id, reason: '변심' }), 'PG_PROVIDER');
  const refundAccount = { bank: 'SHINHAN', number: '110123456789', holderName: '홍길동' };
  const { cancellation } = await portone.payment.cancelPayment({ paymentId: id, reason: '변심', refundAccount });
  assert.equal(cancellation.status, 'SUCCEEDED');
});

test('a virtual account that waits for its deposit is closed', async () => {
  const id = await payment({ status: 'VIRTUAL_ACCOUNT_ISSUED' });
  const { closedAt } = await portone.payment.closeVirtualAccount({ paymentId: id });
  assert.ok(!Number.isNaN(Date.parse(closedAt)));
  await refused(portone.payment.closeVirtualAccount({ paymentId: id }), 'PAYMENT_NOT_WAITING_FOR_DEPOSIT');
});

test('an amount is registered before the payment, and no more after it', async () => {
  assert.deepEqual(await portone.payment.preRegisterPayment({ paymentId: 'to-come', totalAmount: 1000, currency: 'KRW' }), {});
  await portone.payment.preRegisterPayment({ paymentId: 'to-come', totalAmount: 2000, currency: 'KRW' });
  await refused(portone.payment.getPayment({ paymentId: 'to-come' }), 'PAYMENT_NOT_FOUND');
  const paid = await payment();
  await refused(portone.payment.preRegisterPayment({ paymentId: paid, totalAmount: 1000 }), 'ALREADY_PAID');
});

test('payments are listed page by page and by filter', async () => {
  const ids = [];
  for (let number = 0; number < 5; number += 1) {
    ids.push(await payment({ currency: 'USD', totalAmount: 100 + number, requestedAt: `2026-10-0${number + 1}T00:00:00Z` }));
  }
  const filter = { currency: 'USD', from: '2026-09-01T00:00:00Z', until: '2026-11-01T00:00:00Z', sortBy: 'REQUESTED_AT', sortOrder: 'ASC' };
  const listed = [];
  for (let number = 0; number < 3; number += 1) {
    const { items, page } = await portone.payment.getPayments({ page: { number, size: 2 }, filter });
    assert.deepEqual(page, { number, size: 2, totalCount: 5 });
    listed.push(...items.map(({ id }) => id));
  }
  assert.deepEqual(listed, ids);
  const none = await portone.payment.getPayments({ filter: { ...filter, status: ['FAILED'] } });
  assert.deepEqual(none.items, []);
});

test('all payments are walked through by cursor', async () => {
  const ids = new Set();
  for (let number = 0; number < 4; number += 1) ids.add(await payment({ requestedAt: '2026-10-20T00:00:00Z' }));
  const window = { from: '2026-10-19T00:00:00Z', until: '2026-10-21T00:00:00Z', size: 3 };
  const seen = [];
  for (let cursor; ;) {
    const { items } = await portone.payment.getAllPaymentsByCursor({ ...window, cursor });
    if (items.length === 0) break;
    seen.push(...items.map(({ payment: { id } }) => id));
    cursor = items.at(-1).cursor;
  }
  assert.equal(seen.length, new Set(seen).size, 'none twice');
  assert.deepEqual(new Set(seen), ids);
});

test('money that moved is walked through by cursor', async () => {
  const id = await payment({ totalAmount: 5000 });
  await portone.payment.cancelPayment({ paymentId: id, reason: '변심', amount: 2000 });
  await portone.payment.cancelPayment({ paymentId: id, reason: '변심' });
  const { items } = await portone.payment.getAllPaymentEventsByCursor({ size: 1000 });
  const own = items.map(({ paymentEvent }) => paymentEvent).filter(({ paymentId }) => paymentId === id);
  assert.deepEqual(own.map(({ type, eventAmount }) => [type, eventAmount]), [
    ['PAID', 5000],
    ['PARTIAL_CANCELLED', -2000],
    ['CANCELLED', -3000],
  ]);
});

test('the attempts of a payment are listed', async () => {
  const id = await payment({ status: 'FAILED' });
  const { items } = await portone.payment.getPaymentTransactions({ paymentId: id });
  assert.equal(items.length, 1);
  assert.equal(items[0].paymentId, id);
  assert.equal(items[0].status, 'FAILED');
});

test('an access token is given for the secret, and refreshed once', async () => {
  const { accessToken, refreshToken } = await portone.auth.loginViaApiSecret({ apiSecret: API_SECRET });
  const id = await payment();
  const read = await fetch(`${simulator.url}/payments/${id}`, { headers: { Authorization: `Bearer ${accessToken}` } });
  assert.equal(read.status, 200);
  const next = await portone.auth.refreshToken({ refreshToken });
  assert.notEqual(next.refreshToken, refreshToken);
  await refused(portone.auth.refreshToken({ refreshToken }), 'UNAUTHORIZED');
});

/** The webhooks about this payment, in the order of arrival. */
async function delivered(id) {
  await simulator.settled();
  return simulator.webhooks.filter(({ body }) => body.includes(id));
}

test('a delivery is verified with either secret, and says what happened', async () => {
  const id = await payment({ status: 'READY' });
  await simulator.act(id, 'approve');
  const [{ headers, body }] = await delivered(id);
  assert.equal(headers['content-type'], 'application/json');
  for (const secret of WEBHOOK_SECRETS) {
    const webhook = await Webhook.verify(secret, body, headers);
    assert.equal(webhook.type, 'Transaction.Paid');
    assert.equal(webhook.data.paymentId, id);
    assert.ok(webhook.data.transactionId && webhook.data.storeId);
    assert.ok(!Webhook.isUnrecognizedWebhook(webhook));
  }
});

test('a delivery of another secret, another body or another time is not believed', async () => {
  const id = await payment({ status: 'READY' });
  await simulator.act(id, 'decline');
  const [{ headers, body }] = await delivered(id);
  const reason = (expected) => (error) => {
    assert.ok(error instanceof Webhook.WebhookVerificationError, String(error));
    assert.equal(error.reason, expected);
    return true;
  };
  const other = `whsec_${Buffer.from('another secret').toString('base64')}`;
  await assert.rejects(Webhook.verify(other, body, headers), reason('NO_MATCHING_SIGNATURE'));
  await assert.rejects(Webhook.verify(WEBHOOK_SECRETS[0], `${body} `, headers), reason('NO_MATCHING_SIGNATURE'));
  const early = { ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) - 3600) };
  await assert.rejects(Webhook.verify(WEBHOOK_SECRETS[0], body, early), reason('TIMESTAMP_TOO_OLD'));
});

test('every event of a payment\'s life is one that the client knows', async () => {
  const id = await payment({ status: 'READY', payMethod: 'VIRTUAL_ACCOUNT', totalAmount: 1000 });
  await simulator.act(id, 'issue');
  await simulator.act(id, 'deposit');
  await simulator.act(id, 'dispute');
  await simulator.act(id, 'resolve-dispute');
  await simulator.act(id, 'cancel', { amount: 300 });
  await simulator.cancelMode(id, 'ASYNC');
  await simulator.act(id, 'cancel');
  await simulator.act(id, 'approve-cancellation');
  const kinds = new Set();
  for (const { headers, body } of await delivered(id)) {
    const webhook = await Webhook.verify(WEBHOOK_SECRETS[0], body, headers);
    assert.equal(webhook.data.paymentId, id);
    kinds.add(webhook.type);
  }
  assert.deepEqual(kinds, new Set([
    'Transaction.VirtualAccountIssued',
    'Transaction.Paid',
    'Transaction.DisputeCreated',
    'Transaction.DisputeResolved',
    'Transaction.PartialCancelled',
    'Transaction.CancelPending',
    'Transaction.Cancelled',
  ]));
});

test('a webhook is sent again when the shop asks for it', async () => {
  const id = await payment({ status: 'READY' });
  await simulator.act(id, 'approve');
  const [first] = await delivered(id);
  const { webhook } = await portone.payment.resendWebhook({ paymentId: id });
  assert.equal(webhook.paymentStatus, 'PAID');
  const [, second] = await delivered(id);
  assert.equal(second.body, first.body);
  assert.equal(second.headers['webhook-id'], first.headers['webhook-id']);
  await Webhook.verify(WEBHOOK_SECRETS[1], second.body, second.headers);
});
