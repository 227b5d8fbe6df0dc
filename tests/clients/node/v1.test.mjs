/**
 * The V1 client of its day takes the simulator for `https://api.iamport.kr`.
 *
 * npm has two. This one has the host as an option, so that it runs here exactly as it was published; `iamport`
 * has it in a constant, and needs the abandoned `request`. It sends the token as `Bearer …`, Python's client bare.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import iamport from 'iamport-rest-client-nodejs';
import { Simulator, V1_KEY, V1_SECRET } from './simulator.mjs';

const { Payments, Prepare, Vbanks } = iamport.Request;
const { SortingEnum, StatusEnum } = iamport.Enum;
const MINUTE_MS = 60_000;

let simulator;
let client;

const clientOf = ({ v1Url }) => new iamport.Iamport({ apiKey: V1_KEY, apiSecret: V1_SECRET, baseUrl: v1Url });

before(async () => {
  simulator = await Simulator.start();
  client = clientOf(simulator);
});
after(() => simulator?.stop());

let made = 0;
const orderNumber = () => `order-${(made += 1)}`;

/** A payment in this state: `{imp_uid, merchant_uid}`. */
async function payment(spec, at = simulator) {
  const merchant_uid = orderNumber();
  const imp_uid = `imp_${String(made).padStart(12, '0')}`;
  await at.put(merchant_uid, { version: 'V1', transactionId: imp_uid, ...spec });
  return { imp_uid, merchant_uid };
}

/** The `response` of V1's envelope, as the client reads it. */
async function ask(request, as = client) {
  return (await request.request(as)).data.response;
}

const read = ({ imp_uid }, as) => ask(Payments.getByImpUid({ imp_uid }), as);

/** The HTTP status is none of success: the client hands on what its HTTP library threw. */
async function failed(call, status) {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof Error && error.isAxiosError, String(error));
    assert.equal(error.response.status, status);
    assert.equal(error.response.data.code, -1);
    assert.equal(typeof error.response.data.message, 'string');
    assert.equal(error.response.data.response, null);
    return true;
  });
}

/** HTTP 200 with a `code` other than 0: the client makes an error of its own, which is no `Error` and has no status. */
async function refused(call) {
  await assert.rejects(call, (error) => {
    assert.ok(!(error instanceof Error), String(error));
    assert.deepEqual(Object.keys(error.response), ['data']);
    assert.equal(error.response.data.code, 1);
    assert.equal(typeof error.response.data.message, 'string');
    assert.equal(error.response.data.response, null);
    return true;
  });
}

test('what was paid in the window is read by its imp_uid', async () => {
  const merchant_uid = orderNumber();
  const imp_uid = await simulator.openV1({
    merchant_uid,
    amount: 3000,
    name: '신발',
    buyer_name: '홍길동',
    custom_data: { size: 270 },
  });
  const opened = await read({ imp_uid });
  assert.deepEqual([opened.status, opened.paid_at, opened.failed_at, opened.cancelled_at], ['ready', 0, 0, 0]);

  await simulator.pressV1(imp_uid, 'pay');
  const paid = await read({ imp_uid });
  assert.deepEqual(
    [paid.imp_uid, paid.merchant_uid, paid.status, paid.amount, paid.cancel_amount, paid.currency],
    [imp_uid, merchant_uid, 'paid', 3000, 0, 'KRW'],
  );
  assert.deepEqual([paid.name, paid.buyer_name, paid.pay_method], ['신발', '홍길동', 'card']);
  assert.deepEqual(JSON.parse(paid.custom_data), { size: 270 });
  // The client makes a `Date` of seconds; of milliseconds it would be one some fifty thousand years from now.
  assert.ok(Math.abs(paid.paid_at.getTime() - Date.now()) < MINUTE_MS, String(paid.paid_at));
  assert.deepEqual([paid.failed_at, paid.cancelled_at], [0, 0]);
});

test('a payment of every state has one of the four statuses, and the moment that goes with it', async () => {
  const states = {
    READY: ['ready'],
    VIRTUAL_ACCOUNT_ISSUED: ['ready'],
    PAID: ['paid', 'paid_at'],
    FAILED: ['failed', 'failed_at'],
    CANCELLED: ['cancelled', 'paid_at', 'cancelled_at'],
  };
  const changedAt = '2026-10-01T00:00:00.000Z';
  for (const [status, [word, ...moments]] of Object.entries(states)) {
    const shown = await read(await payment({ status, requestedAt: changedAt, changedAt }));
    assert.equal(shown.status, word);
    for (const moment of ['paid_at', 'failed_at', 'cancelled_at']) {
      const expected = moments.includes(moment) ? new Date(changedAt) : 0;
      assert.deepEqual(shown[moment], expected, `${moment} of ${status}`);
    }
  }
});

test('of several attempts at one order the newest is found, and each is listed', async () => {
  const merchant_uid = orderNumber();
  const declined = await simulator.openV1({ merchant_uid, amount: 1000 });
  await simulator.pressV1(declined, 'decline');
  const paid = await simulator.openV1({ merchant_uid, amount: 1000 });
  await simulator.pressV1(paid, 'pay');

  const find = (status, sorting) => ask(Payments.getByMerchantUid({ merchant_uid, status, sorting }));
  assert.equal((await find(StatusEnum.ALL)).imp_uid, paid);
  assert.equal((await find(StatusEnum.ALL, SortingEnum.STARTED_ASC)).imp_uid, declined);
  assert.equal((await find(StatusEnum.FAILED)).imp_uid, declined);
  await failed(find(StatusEnum.CANCELLED), 404);

  const all = Payments.getByMerchantUids({ merchant_uid, status: StatusEnum.ALL, sorting: SortingEnum.STARTED_ASC });
  const { total, previous, next, list } = await ask(all);
  assert.deepEqual({ total, previous, next }, { total: 2, previous: 0, next: 0 });
  assert.deepEqual(list.map(({ imp_uid, status }) => [imp_uid, status]), [[declined, 'failed'], [paid, 'paid']]);
});

test('of several imp_uids the client is told which are not there', async () => {
  const [one, other] = [await payment(), await payment({ status: 'FAILED' })];
  const several = (imp_uid) => Payments.getByImpUids({ imp_uid }).request(client);
  const complete = await several([one.imp_uid, other.imp_uid]);
  assert.deepEqual(complete.data.response.map(({ status }) => status), ['paid', 'failed']);
  assert.equal(complete.data.failed, undefined);
  const partly = await several([one.imp_uid, 'imp_0']);
  assert.equal(partly.status, 207);
  assert.deepEqual(partly.data.response.map(({ imp_uid }) => imp_uid), [one.imp_uid]);
  assert.deepEqual(partly.data.failed, ['imp_0']);
  await failed(several(['imp_0', 'imp_1']), 404);
});

test('a payment that is not there is 404, and one of a test channel is not there', async () => {
  await failed(read({ imp_uid: 'imp_0' }), 404);
  await failed(ask(Payments.getByMerchantUid({ merchant_uid: 'nobody-ordered-this', status: StatusEnum.ALL })), 404);
  await failed(ask(Payments.getByMerchantUids({ merchant_uid: 'nobody-ordered-this', status: StatusEnum.ALL })), 404);
  await failed(read(await payment({ channelType: 'TEST' })), 404);
  await failed(read(await payment({ version: 'V2' })), 404);
});

test('a window opens for the registered amount and for no other', async () => {
  const merchant_uid = orderNumber();
  const registered = await ask(Prepare.postAmount({ merchant_uid, amount: 12000 }));
  assert.deepEqual([registered.merchant_uid, registered.amount], [merchant_uid, 12000]);
  assert.equal((await ask(Prepare.getAmount({ merchant_uid }))).amount, 12000);
  await assert.rejects(simulator.openV1({ merchant_uid, amount: 11999 }), /: 409 \{.*"imp_uid":null/);
  assert.match(await simulator.openV1({ merchant_uid, amount: 12000 }), /^imp_\d+$/);
});

test('an amount that was never registered, or is registered again, is refused', async () => {
  await refused(ask(Prepare.getAmount({ merchant_uid: 'nobody-ordered-this' })));
  // What V1 says to a second registration is not stated; this is what the simulator does unless told otherwise.
  const merchant_uid = orderNumber();
  await ask(Prepare.postAmount({ merchant_uid, amount: 12000 }));
  await refused(ask(Prepare.postAmount({ merchant_uid, amount: 1 })));
  assert.equal((await ask(Prepare.getAmount({ merchant_uid }))).amount, 12000);
});

test('without an amount, and with an amount of 0, everything goes back', async () => {
  for (const more of [{}, { amount: 0 }]) {
    const paid = await payment({ totalAmount: 3000 });
    const cancel = () => ask(Payments.cancel({ imp_uid: paid.imp_uid, reason: '변심', ...more }));
    const cancelled = await cancel();
    assert.deepEqual([cancelled.status, cancelled.cancel_amount, cancelled.cancel_reason], ['cancelled', 3000, '변심']);
    assert.deepEqual(cancelled.cancel_history.map(({ amount, reason }) => [amount, reason]), [[3000, '변심']]);
    assert.ok(cancelled.cancelled_at instanceof Date);
    await refused(cancel());
    assert.equal((await read(paid)).cancel_amount, 3000);
  }
});

test('parts go back as long as the checksum is what is left and the amount is no more', async () => {
  const paid = await payment({ totalAmount: 3000 });
  const cancel = (amount, checksum) => ask(Payments.cancel({ imp_uid: paid.imp_uid, amount, checksum, reason: '변심' }));
  assert.equal((await cancel(1000, 3000)).cancel_amount, 1000);
  await refused(cancel(1000, 3000));
  await refused(cancel(2001, 2000));
  await refused(cancel(2001));
  assert.equal((await read(paid)).cancel_amount, 1000);
  assert.equal((await cancel(2000, 2000)).status, 'cancelled');
  assert.deepEqual((await read(paid)).cancel_history.map(({ amount }) => amount), [1000, 2000]);
});

test('a cancellation goes by merchant_uid, but a wrong imp_uid is not mended by a good one', async () => {
  const { imp_uid, merchant_uid } = await payment();
  await refused(ask(Payments.cancel({ imp_uid: 'imp_0', merchant_uid, reason: '변심' })));
  await refused(ask(Payments.cancel({ merchant_uid: 'nobody-ordered-this', reason: '변심' })));
  const cancelled = await ask(Payments.cancel({ merchant_uid, reason: '변심' }));
  assert.deepEqual([cancelled.imp_uid, cancelled.status], [imp_uid, 'cancelled']);
});

test('what the PG refuses is refused, and nothing goes back', async () => {
  const paid = await payment();
  await simulator.cancelMode(paid.merchant_uid, 'REFUSE_BY_PG');
  await refused(ask(Payments.cancel({ imp_uid: paid.imp_uid, reason: '변심' })));
  assert.equal((await read(paid)).status, 'paid');
});

test('a cancellation whose answer was lost is not done twice if its checksum is repeated', async () => {
  const paid = await payment({ totalAmount: 3000 });
  await simulator.cancelMode(paid.merchant_uid, 'EFFECT_THEN_DROP');
  const cancel = () => ask(Payments.cancel({ imp_uid: paid.imp_uid, amount: 1000, checksum: 3000, reason: '변심' }));
  await assert.rejects(cancel(), (error) => error.isAxiosError && error.response === undefined);
  await refused(cancel());
  assert.deepEqual((await read(paid)).cancel_history.map(({ amount }) => amount), [1000]);
});

test('a virtual account is ready until its deposit is seen', async () => {
  const merchant_uid = orderNumber();
  const imp_uid = await simulator.openV1({ merchant_uid, amount: 1000, pay_method: 'vbank' });
  await simulator.pressV1(imp_uid, 'issue');
  const issued = await read({ imp_uid });
  assert.deepEqual([issued.status, issued.pay_method, issued.paid_at], ['ready', 'vbank', 0]);
  assert.match(issued.vbank_num, /^\d+$/);
  assert.ok(issued.vbank_date > issued.vbank_issued_at && issued.vbank_issued_at instanceof Date);

  await simulator.act(merchant_uid, 'deposit');
  const paid = await read({ imp_uid });
  assert.deepEqual([paid.status, paid.amount], ['paid', 1000]);
  assert.ok(paid.paid_at instanceof Date);
});

test('money of a virtual account goes back to an account only', async () => {
  const { imp_uid } = await payment({ payMethod: 'VIRTUAL_ACCOUNT' });
  await refused(ask(Payments.cancel({ imp_uid, reason: '변심' })));
  const account = { refund_holder: '홍길동', refund_bank: '88', refund_account: '110123456789' };
  assert.equal((await ask(Payments.cancel({ imp_uid, reason: '변심', ...account }))).status, 'cancelled');
});

test('a virtual account that waits for its deposit is revoked into failed, and only once', async () => {
  const { imp_uid } = await payment({ status: 'VIRTUAL_ACCOUNT_ISSUED' });
  assert.equal((await ask(Vbanks.delete({ imp_uid }))).status, 'failed');
  await failed(ask(Vbanks.delete({ imp_uid })), 400);
  await failed(ask(Vbanks.delete({ imp_uid: 'imp_0' })), 404);
});

test('payments are listed by status, page by page, within 90 days', async () => {
  const ids = [];
  for (let day = 1; day <= 5; day += 1) ids.push((await payment({ requestedAt: `2026-09-0${day}T00:00:00Z` })).imp_uid);
  await payment({ status: 'FAILED', requestedAt: '2026-09-03T00:00:00Z' });
  const [from, to] = ['2026-09-01T00:00:00Z', '2026-09-08T00:00:00Z'].map((at) => Date.parse(at) / 1000);
  const listed = [];
  for (let page = 1; page <= 3; page += 1) {
    const request = Payments.getByStatus({ status: StatusEnum.PAID, page, limit: 2, from, to, sorting: SortingEnum.STARTED_ASC });
    const { total, previous, next, list } = await ask(request);
    assert.deepEqual({ total, previous, next }, { total: 5, previous: page - 1, next: page === 3 ? 0 : page + 1 });
    assert.equal(request.isLast, page === 3);
    listed.push(...list.map(({ imp_uid }) => imp_uid));
  }
  assert.deepEqual(listed, ids);
  assert.equal((await ask(Payments.getByStatus({ status: StatusEnum.ALL, from, to }))).total, 6);
  await failed(ask(Payments.getByStatus({ status: StatusEnum.PAID, from: to - 91 * 24 * 3600, to })), 400);
});

test('a wrong key pair is 401 everywhere, and does nothing', async () => {
  const paid = await payment();
  for (const keys of [{ apiKey: 'not-the-key', apiSecret: V1_SECRET }, { apiKey: V1_KEY, apiSecret: 'not-the-secret' }]) {
    const stranger = new iamport.Iamport({ ...keys, baseUrl: simulator.v1Url });
    await failed(read(paid, stranger), 401);
    await failed(ask(Payments.cancel({ imp_uid: paid.imp_uid, reason: '변심' }), stranger), 401);
    await failed(ask(Prepare.postAmount({ merchant_uid: orderNumber(), amount: 1 }), stranger), 401);
  }
  assert.equal((await read(paid)).status, 'paid');
});

/** A simulator for a test that turns its clock, and a client that has no token yet. */
async function fresh(context) {
  const own = await Simulator.start();
  context.after(() => own.stop());
  return { own, shop: clientOf(own), paid: await payment({}, own) };
}

/** How often a token was asked for. */
async function tokenCalls(own) {
  return (await own.control('GET', 'calls')).filter(({ path }) => path === '/users/getToken').length;
}

test('one token serves many calls, and another client of the shop gets the same one', async (context) => {
  const { own, shop, paid } = await fresh(context);
  for (let call = 0; call < 3; call += 1) assert.equal((await read(paid, shop)).status, 'paid');
  assert.equal(await tokenCalls(own), 1);
  const beside = clientOf(own);
  assert.deepEqual(await beside.getHeaders(), await shop.getHeaders());
  assert.equal(await tokenCalls(own), 2);
});

test('a token grows by five minutes in its last one, and is another after its end', async (context) => {
  const { own, shop, paid } = await fresh(context);
  // The client goes by the shop's clock, with half a minute in hand, so both clocks are turned as one.
  const start = Date.now();
  context.mock.timers.enable({ apis: ['Date'], now: start });
  let turned = 0;
  const until = async (afterStart) => {
    await own.control('POST', 'clock', { advanceMs: afterStart - turned });
    turned = afterStart;
    context.mock.timers.setTime(start + afterStart);
    assert.equal((await read(paid, shop)).status, 'paid');
    return (await shop.getHeaders()).Authorization;
  };

  const first = await until(0);
  assert.equal(await until(29 * MINUTE_MS), first);
  assert.equal(await tokenCalls(own), 1);
  assert.equal(await until(29.75 * MINUTE_MS), first);
  assert.equal(await until(34 * MINUTE_MS), first);
  assert.equal(await tokenCalls(own), 2);
  assert.notEqual(await until(36 * MINUTE_MS), first);
  assert.equal(await tokenCalls(own), 3);
});

test('a token that ended early is 401 to whoever still has it, and a new client gets another', async (context) => {
  const { own, shop, paid } = await fresh(context);
  await read(paid, shop);
  await own.control('DELETE', 'v1/tokens');
  // This client looks at its clock only, and asks for no other token on a 401.
  await failed(read(paid, shop), 401);
  await failed(ask(Payments.cancel({ imp_uid: paid.imp_uid, reason: '변심' }), shop), 401);
  const again = clientOf(own);
  assert.equal((await read(paid, again)).status, 'paid');
  assert.notEqual((await again.getHeaders()).Authorization, (await shop.getHeaders()).Authorization);
});
