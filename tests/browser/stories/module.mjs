/** checkout.js by itself: what its functions promise, and what a repetition of each does. */
import assert from 'node:assert/strict';
import { ORDER, PAGE, bareStory, busy } from '../bare.mjs';
import { DESKTOP, PHONE, eventually } from '../buyer.mjs';
import { simulator } from '../simulator.mjs';
import { system } from '../system.mjs';

const paidAtPortone = (orderId) => eventually(() => simulator.payment(orderId), (payment) => payment?.status === 'PAID');

bareStory('pay resolves to PAID, having said OPEN and CHECKING on the way', DESKTOP, async (bare) => {
  await bare.pay();
  await bare.window('pay').click();
  const { outcome, order, payable, final } = await bare.result();
  assert.deepEqual({ outcome, payable, final }, { outcome: 'PAID', payable: false, final: true });
  assert.equal(order.amount.paid, order.amount.total);
  assert.deepEqual(await bare.page.evaluate(() => window.heard), ['OPEN', 'CHECKING', 'PAID']);
  assert.deepEqual(await bare.page.evaluate(() => [window.checkout.result.outcome, window.checkout.lastOrderId]), ['PAID', order.orderId]);
});

bareStory('a create whose answers are lost, repeated in another tab, is one order', DESKTOP, async (bare) => {
  const made = [];
  await bare.context.route('**/orders', async (route) => {
    made.push((await (await route.fetch()).json()).orderId);
    await route.abort();
  });
  await bare.pay();
  assert.equal((await bare.answer()).error.code, 'unreachable');
  await bare.page.close();

  await bare.context.unroute('**/orders');
  await bare.open();
  await bare.pay();
  await bare.window('pay').click();
  const { outcome, orderId } = await bare.result();
  assert.equal(outcome, 'PAID');
  assert.deepEqual(new Set(made), new Set([orderId]));
  assert.equal(new Set(bare.posts('/orders').map(({ key }) => key)).size, 1);
});

bareStory('a finished order is not repeated: the same content is a new order with a new key', DESKTOP, async (bare) => {
  await bare.pay();
  await bare.window('pay').click();
  const first = await bare.result();
  await bare.pay();
  await bare.window('pay').click();
  const second = await bare.result();
  assert.notEqual(second.orderId, first.orderId);
  assert.equal(new Set(bare.posts('/orders').map(({ key }) => key)).size, 2);
});

bareStory('a declined payment is paid again by the same call, as the same order, without making it anew', DESKTOP, async (bare) => {
  await bare.pay();
  await bare.window('decline').click();
  const declined = await bare.result();
  assert.equal(declined.outcome, 'DECLINED');
  assert.equal(declined.payable, true);
  assert.match(declined.failure.message, /거절/);
  await bare.pay();
  await bare.window('pay').click();
  const { outcome, orderId } = await bare.result();
  assert.deepEqual([outcome, orderId], ['PAID', declined.orderId]);
  assert.equal(bare.posts('/orders').length, 1);
});

bareStory('a tab closed in the middle of paying is made up for by resume in the next one', DESKTOP, async (bare) => {
  await bare.pay();
  const { orderId } = await bare.page.waitForFunction(() => window.checkout.result).then((result) => result.jsonValue());
  await bare.context.route('**/payments/verify', (route) => route.abort());
  await bare.window('pay').click();
  await paidAtPortone(orderId);
  await bare.page.close();
  await bare.context.unroute('**/payments/verify');

  await bare.open();
  await bare.begin('resume');
  const { outcome, orderId: resumed } = await bare.result();
  assert.deepEqual([outcome, resumed], ['PAID', orderId]);
  // Told once: the next visit starts afresh.
  await bare.begin('resume');
  assert.equal(await bare.result(), null);
});

bareStory('an order that was paid while its tab was closed is told by pay, and opens no window', DESKTOP, async (bare) => {
  await bare.pay();
  await bare.window('pay').waitFor();
  const orderId = await bare.page.evaluate(() => window.checkout.lastOrderId);
  await bare.page.close();
  await simulator.pay(orderId);
  await bare.open();
  await eventually(() => bare.orderNow(), ({ status }) => status === 'PAID');

  await bare.pay();
  const { outcome, orderId: told } = await bare.result();
  assert.deepEqual([outcome, told], ['PAID', orderId]);
  assert.deepEqual(await bare.page.evaluate(() => window.heard), ['PAID']);
});

bareStory('a phone returns by the configured address, is told PAID, and keeps what is its own in the address', PHONE, async (bare) => {
  await bare.page.evaluate(async (sdks) => {
    const { createCheckout } = await import('/checkout/checkout.js');
    window.checkout = createCheckout({ ...sdks, redirectUrl: `${location.origin}${location.pathname}?shelf=3#pay` });
  }, { ...system.config, apiBase: '' });
  await bare.pay();
  await bare.window('pay').click();
  await bare.page.waitForURL(/\/examples\/\?/);
  assert.match(bare.page.url(), /paymentId=/);
  await bare.load();
  await bare.begin('resume');
  assert.equal((await bare.result()).outcome, 'PAID');
  const { search, hash } = new URL(bare.page.url());
  assert.deepEqual([search, hash], ['?shelf=3', '#pay']);
});

bareStory('a phone whose payment was declined returns with the reason, and the same order is paid', PHONE, async (bare) => {
  await bare.pay();
  await bare.window('decline').click();
  await bare.page.waitForURL(/\/examples\/\?/);
  await bare.load();
  await bare.begin('resume');
  const declined = await bare.result();
  assert.equal(declined.outcome, 'DECLINED');
  assert.match(declined.failure.message, /거절/);
  assert.equal(new URL(bare.page.url()).search, '');

  await bare.pay();
  await bare.window('pay').click();
  await bare.page.waitForURL(/\/examples\/\?/);
  await bare.load();
  await bare.begin('resume');
  const { outcome, orderId } = await bare.result();
  assert.deepEqual([outcome, orderId], ['PAID', declined.orderId]);
});

bareStory('a forged return about an order of nobody here is asked about, and brings in none of its words', DESKTOP, async (bare) => {
  const message = encodeURIComponent('<img src=x onerror=alert(1)> 전화 주세요');
  await bare.open(`?paymentId=01JDABCDEFGHJKMNPQRSTVWXYZ&code=${message}&message=${message}&pgCode=${message}`);
  await bare.begin('resume');
  const result = await bare.result();
  assert.equal(result.outcome, 'NOT_FOUND');
  assert.doesNotMatch(JSON.stringify(result), /img|전화/);
  assert.deepEqual((await bare.stored())?.orders ?? [], []);
});

bareStory('a forged success pays for nothing: the order is as the API has it', DESKTOP, async (bare) => {
  await bare.pay();
  await bare.window('close').click();
  const { orderId, outcome } = await bare.result();
  assert.equal(outcome, 'CLOSED');
  await bare.page.clock.install();
  await bare.open(`?paymentId=${orderId}`);
  await bare.begin('resume');
  await bare.page.waitForFunction(() => window.heard.at(-1) === 'CHECKING');
  assert.equal((await bare.orderNow()).status, 'PENDING');
});

bareStory('an address without an order id is left alone, whatever else it says', DESKTOP, async (bare) => {
  for (const query of ['?code=oauth&message=hi', '?paymentId=../../admin&code=x', '?paymentId=%3Cscript%3E', '?merchant_uid=1&imp_uid=2']) {
    await bare.open(query);
    await bare.begin('resume');
    assert.equal(await bare.result(), null, query);
    assert.equal(new URL(bare.page.url()).search, query);
  }
  assert.equal(bare.calls.length, 0);
});

bareStory('verify that answers 503 is made up for by looking again, until PAID', DESKTOP, async (bare) => {
  let looks = 0;
  await bare.context.route('**/payments/verify', (route) => route.fulfill(busy(1)));
  await bare.context.route('**/orders/*', (route) => {
    looks += 1;
    return looks < 4 ? route.fulfill(busy(0)) : route.continue();
  });
  await bare.pay();
  await bare.window('pay').click();
  const { outcome, order } = await bare.result();
  assert.equal(outcome, 'PAID');
  assert.equal(order.amount.paid, order.amount.total);
  assert.deepEqual(await bare.page.evaluate(() => window.heard), ['OPEN', 'CHECKING', 'CHECKING', 'PAID']);
});

bareStory('looking ends after ten looks with UNCONFIRMED, and starts again when asked', DESKTOP, async (bare) => {
  await bare.context.route('**/payments/verify', async (route) => {
    const [known] = (await bare.stored()).orders;
    return route.fulfill({ json: { orderId: known.orderId, status: 'PENDING', amount: { total: 1000, currency: 'KRW' } } });
  });
  await bare.answersAtOnce({});
  await bare.page.clock.install();
  await bare.pay();
  await bare.page.waitForFunction(() => window.heard.length === 3);
  const answer = () => bare.page.evaluate(() => window.answer);
  // However fast this clock goes: what is counted are looks.
  while (!(await answer())) await bare.page.clock.runFor(1000);
  const { result } = await answer();
  assert.deepEqual([result.outcome, result.watching, result.payable], ['UNCONFIRMED', false, false]);
  assert.equal(bare.looks().length, 10);
  await bare.page.clock.runFor(600_000);
  assert.equal(bare.looks().length, 10);

  await bare.context.unroute('**/payments/verify');
  await simulator.payment(result.orderId);
  await bare.begin('check');
  await bare.page.waitForFunction(() => window.heard.at(-1) !== 'UNCONFIRMED');
});

bareStory('an order in which nobody is interested any more is not looked at', DESKTOP, async (bare) => {
  await bare.open('', { quiet: true });
  await bare.pay();
  await bare.window('close').click();
  const { outcome, watching } = await bare.result();
  assert.deepEqual([outcome, watching], ['CLOSED', false]);
  await bare.page.clock.install();
  const before = bare.calls.length;
  await bare.page.clock.runFor(300_000);
  assert.equal(bare.calls.length, before);
});

bareStory('an order of V1 opens V1’s window and is verified by its imp_uid', DESKTOP, async (bare) => {
  await bare.pay({ ...ORDER, sdk: 'v1' });
  await bare.window('pay').click();
  const { outcome, orderId } = await bare.result();
  assert.equal(outcome, 'PAID');
  const { version, transactionId } = await simulator.payment(orderId);
  assert.equal(version, 'V1');
  assert.deepEqual(bare.posts('/payments/verify')[0].body, { imp_uid: transactionId, merchant_uid: orderId });
  assert.equal(await bare.page.evaluate(() => 'PortOne' in window), false);
});

bareStory('a virtual account resolves at once with where to transfer, and the deposit is heard', DESKTOP, async (bare) => {
  await bare.pay({ ...ORDER, payMethod: 'VIRTUAL_ACCOUNT' });
  await bare.window('issue').click();
  const { outcome, orderId, order, watching } = await bare.result();
  assert.deepEqual([outcome, watching], ['VIRTUAL_ACCOUNT_ISSUED', true]);
  assert.match(order.virtualAccount.accountNumber, /^[\d-]+$/);
  await simulator.deposit(orderId);
  await bare.page.waitForFunction(() => window.heard.at(-1) === 'PAID');
});

bareStory('a paymentToken whose verify got lost is brought by the next tab', DESKTOP, async (bare) => {
  // No answer, ever: what the next tab needs is kept before.
  await bare.context.route('**/payments/verify', () => {});
  await bare.answersAtOnce({ paymentToken: 'a-token' });
  await bare.pay();
  await eventually(() => bare.stored(), (stored) => stored?.orders[0]?.claim?.paymentToken === 'a-token');
  await bare.page.close();

  const bodies = [];
  await bare.context.unroute('**/payments/verify');
  await bare.context.route('**/payments/verify', (route) => {
    bodies.push(route.request().postDataJSON());
    return route.continue();
  });
  await bare.open();
  await bare.begin('resume');
  await eventually(() => bodies, ([body]) => body?.paymentToken === 'a-token');
});

bareStory('an aborted create rejects with the reason, and the same content is still one order', DESKTOP, async (bare) => {
  let made;
  await bare.context.route('**/orders', async (route) => {
    made = (await (await route.fetch()).json()).orderId;
    // No answer, ever.
  });
  const aborted = await bare.page.evaluate(async (order) => {
    const stop = new AbortController();
    const paying = window.checkout.pay(order, { signal: stop.signal });
    window.stop = stop;
    paying.catch((error) => { window.rejected = [error.name, error.message]; });
    return stop.signal.aborted;
  }, ORDER);
  assert.equal(aborted, false);
  await eventually(() => made, Boolean);
  await bare.page.evaluate(() => window.stop.abort());
  assert.equal((await (await bare.page.waitForFunction(() => window.rejected)).jsonValue())[0], 'AbortError');

  await bare.context.unroute('**/orders');
  await bare.pay();
  await bare.window('pay').click();
  const { outcome, orderId } = await bare.result();
  assert.deepEqual([outcome, orderId], ['PAID', made]);
});

bareStory('aborted while the window is open pay rejects, and check tells what came of it', DESKTOP, async (bare) => {
  await bare.page.evaluate((order) => {
    window.stop = new AbortController();
    window.checkout.pay(order, { signal: window.stop.signal }).catch((error) => { window.rejected = error.name; });
  }, ORDER);
  await bare.window('pay').waitFor();
  await bare.page.evaluate(() => window.stop.abort());
  await bare.page.waitForFunction(() => window.rejected === 'AbortError');
  await bare.window('pay').click();
  await paidAtPortone(await bare.page.evaluate(() => window.checkout.lastOrderId));
  await bare.begin('check');
  assert.equal((await bare.result()).outcome, 'PAID');
});

bareStory('aborted while it looks again, it rejects at once and asks nothing more', DESKTOP, async (bare) => {
  await bare.context.route('**/payments/verify', (route) => route.fulfill(busy(100)));
  let looked = 0;
  await bare.context.route('**/orders/*', async (route) => {
    await route.fulfill(busy(100));
    looked += 1;
  });
  await bare.answersAtOnce({});
  await bare.page.clock.install();
  await bare.page.clock.pauseAt(Date.now() + 60_000);
  await bare.page.evaluate((order) => {
    window.stop = new AbortController();
    window.checkout.pay(order, { signal: window.stop.signal }).catch((error) => { window.rejected = error.name; });
  }, ORDER);
  await bare.page.waitForFunction(() => window.heard.length === 3);
  await bare.page.clock.runFor(1_000);
  await eventually(() => looked, (looks) => looks === 2);
  // The next beat is waited for, and does not come: this clock stands still.
  await bare.page.evaluate(() => window.stop.abort());
  await bare.page.waitForFunction(() => window.rejected === 'AbortError');
  await bare.page.clock.runFor(120_000);
  assert.equal(looked, 2);
});

bareStory('a window that never answers is let go by check, and pay resolves to the same', DESKTOP, async (bare) => {
  await bare.page.evaluate(() => { window.PortOne = { requestPayment: () => new Promise(() => {}) }; });
  const [paid, checked] = await bare.page.evaluate(async (order) => {
    const paying = window.checkout.pay(order);
    await new Promise((open) => window.checkout.subscribe(({ outcome }) => outcome === 'OPEN' && open()));
    const seen = await window.checkout.check();
    return [await paying, seen];
  }, ORDER);
  assert.equal(checked.outcome, 'UNPAID');
  assert.deepEqual(paid, checked);
});

for (const [how, block] of [
  ['refuses to be named', () => Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied', 'SecurityError'); } })],
  ['throws on every call', () => { Storage.prototype.getItem = Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }; }],
  ['is full', () => { Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }; }],
  ['holds what somebody else wrote', () => localStorage.setItem('checkout', '{"orders":[null,7],"checkout":"x"}')],
]) {
  bareStory(`where storage ${how} an order is declined, paid again as the same order, and PAID`, DESKTOP, async (bare) => {
    await bare.context.addInitScript(block);
    await bare.open();
    await bare.pay();
    await bare.window('decline').click();
    const { orderId } = await bare.result();
    await bare.pay();
    await bare.window('pay').click();
    const result = await bare.result();
    assert.deepEqual([result.outcome, result.orderId], ['PAID', orderId]);
    assert.equal(bare.posts('/orders').length, 1);
  });
}

bareStory('an injected storage is the one that is used', DESKTOP, async (bare) => {
  await bare.page.evaluate(async (sdks) => {
    const { createCheckout } = await import('/checkout/checkout.js');
    window.box = {};
    const storage = { getItem: (name) => window.box[name] ?? null, setItem: (name, value) => { window.box[name] = value; } };
    window.checkout = createCheckout({ ...sdks, storage, storageKey: 'mine' });
  }, { ...system.config, apiBase: '' });
  await bare.pay();
  await bare.window('close').click();
  const { orderId } = await bare.result();
  assert.equal(await bare.page.evaluate(() => JSON.parse(window.box.mine).orders[0].orderId), orderId);
  assert.equal(await bare.stored(), null);
});

bareStory('nobody’s name, address or number is kept', DESKTOP, async (bare) => {
  await bare.pay();
  await bare.window('decline').click();
  await bare.result();
  const kept = await bare.page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  assert.match(kept, /orderToken/);
  assert.doesNotMatch(kept, /홍길동|buyer@|0101234|sticker/);
});

bareStory('two tabs that pay for the same things have one order, which is charged once', DESKTOP, async (bare) => {
  await bare.pay();
  await bare.window('pay').waitFor();
  const first = bare.page;
  const second = await bare.open();
  await bare.pay();
  await bare.window('pay').waitFor();
  assert.equal(new Set(bare.posts('/orders').map(({ key }) => key)).size, 1);

  await bare.window('pay', first).click();
  bare.page = first;
  const paid = await bare.result();
  bare.page = second;
  await bare.window('pay').click();
  const again = await bare.result();
  assert.deepEqual([paid.outcome, again.outcome], ['PAID', 'PAID']);
  assert.equal(again.orderId, paid.orderId);
  assert.equal(again.order.amount.paid, 1000);
});

bareStory('two tabs with different things have two orders that do not mix', DESKTOP, async (bare) => {
  await bare.pay();
  await bare.window('pay').waitFor();
  const first = bare.page;
  const second = await bare.open();
  await bare.pay({ ...ORDER, items: [{ productId: 'sticker', quantity: 2 }] });
  await bare.window('pay').click();
  const two = await bare.result();
  bare.page = first;
  await bare.window('pay').click();
  const one = await bare.result();
  assert.deepEqual([one, two].map(({ outcome, order }) => [outcome, order.amount.paid]), [['PAID', 1000], ['PAID', 2000]]);
  await second.close();
});

bareStory('a double click is one promise, one order and one window', DESKTOP, async (bare) => {
  const same = await bare.page.evaluate((order) => {
    const [one, two] = [window.checkout.pay(order), window.checkout.pay(order)];
    one.then((result) => { window.answer = { result }; });
    return one === two;
  }, ORDER);
  assert.equal(same, true);
  await bare.window('pay').waitFor();
  assert.equal(await bare.page.locator('iframe').count(), 1);
  await bare.window('pay').click();
  assert.equal((await bare.result()).outcome, 'PAID');
  assert.equal(bare.posts('/orders').length, 1);
});

bareStory('every call about an order has one trace id, over reloads too, and each its own span', DESKTOP, async (bare) => {
  await bare.pay();
  await bare.window('decline').click();
  await bare.result();
  await bare.page.reload();
  await bare.load();
  await bare.begin('check');
  await bare.result();
  const traces = bare.calls.map(({ trace }) => /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(trace));
  assert.ok(traces.length >= 3 && traces.every(Boolean), JSON.stringify(bare.calls));
  assert.equal(new Set(traces.map(([, id]) => id)).size, 1);
  assert.equal(new Set(traces.map(([, , span]) => span)).size, traces.length);

  await bare.pay({ ...ORDER, items: [{ productId: 'sticker', quantity: 3 }] });
  await bare.window('close').waitFor();
  assert.notEqual(bare.posts('/orders').at(-1).trace.slice(0, 35), bare.calls[0].trace.slice(0, 35));
});

bareStory('a page of another origin on the allow-list makes its order and is told that it is paid', DESKTOP, async (bare) => {
  const { origin, port } = new URL(system.url);
  await bare.page.goto(`http://localhost:${port}/${PAGE}`);
  await bare.load({ apiBase: origin });
  await bare.pay();
  await bare.window('pay').click();
  assert.equal((await bare.result()).outcome, 'PAID');
});

bareStory('what the API refuses is a typed error with its problem and every field', DESKTOP, async (bare) => {
  await bare.pay({ ...ORDER, customer: { name: '홍길동', email: 'no', phone: '1' } });
  const { error } = await bare.answer();
  assert.deepEqual([error.name, error.code, error.status, error.problem.code], ['CheckoutError', 'refused', 422, 'validation-failed']);
  assert.deepEqual(error.problem.errors.map(({ pointer }) => pointer).sort(), ['/customer/email', '/customer/phone']);
  assert.equal(bare.posts('/orders').length, 1, 'a refusal is not repeated');
});

bareStory('busy is asked again after the seconds it names, and beyond patience told with them', DESKTOP, async (bare) => {
  const asked = [];
  await bare.context.route('**/orders', (route) => {
    asked.push(Date.now());
    return route.fulfill(busy(asked.length === 1 ? 2 : 600));
  });
  await bare.pay();
  const { error } = await bare.answer();
  assert.deepEqual([error.code, error.status, error.retryAfter, asked.length], ['unavailable', 503, 600, 2]);
  assert.ok(asked[1] - asked[0] >= 2000, `${asked[1] - asked[0]} ms`);
});

bareStory('offline is said at once, with nothing ordered', DESKTOP, async (bare) => {
  await bare.page.evaluate(() => window.checkout.load());
  await bare.context.setOffline(true);
  await bare.pay();
  assert.equal((await bare.answer()).error.code, 'offline');
  assert.equal(bare.calls.length, 1);
});

bareStory('back online, it looks at once and not at the next beat', DESKTOP, async (bare) => {
  await bare.page.evaluate(() => window.checkout.load());
  await bare.pay();
  await bare.window('pay').waitFor();
  const orderId = await bare.page.evaluate(() => window.checkout.lastOrderId);
  await bare.page.clock.install();
  await bare.page.clock.pauseAt(Date.now() + 60_000);
  await bare.context.setOffline(true);
  await bare.begin('check');
  await bare.page.waitForFunction(() => window.heard.at(-1) === 'UNREACHABLE');
  await simulator.pay(orderId);
  await eventually(() => bare.orderNow(), ({ status }) => status === 'PAID');
  await bare.context.setOffline(false);
  // No beat has come: only the network's return can have made it look.
  await bare.page.waitForFunction(() => window.heard.at(-1) === 'PAID');
});

bareStory('another price than the buyer was shown opens no window, and names itself', DESKTOP, async (bare) => {
  await bare.pay(ORDER, { total: 900 });
  const { error } = await bare.answer();
  assert.deepEqual([error.code, error.total], ['price-changed', 1000]);
  assert.equal(await bare.page.locator('iframe').count(), 0);
  await bare.pay(ORDER, { total: 1000 });
  await bare.window('pay').click();
  assert.equal((await bare.result()).outcome, 'PAID');
});

bareStory('a script that does not load is told before anything is ordered, and may load later', DESKTOP, async (bare) => {
  await bare.context.route('**/browser-sdk.js', (route) => route.abort());
  await bare.pay();
  assert.equal((await bare.answer()).error.code, 'window-unavailable');
  assert.equal(bare.calls.length, 0);
  await bare.context.unroute('**/browser-sdk.js');
  await bare.pay();
  await bare.window('pay').click();
  assert.equal((await bare.result()).outcome, 'PAID');
});

bareStory('money that does not match is REJECTED also where every look after it fails', DESKTOP, async (bare) => {
  await bare.context.route('**/orders/*', (route) => route.fulfill(busy(100)));
  // The webhook may be first, and then verify shows the order instead of refusing.
  await bare.pay();
  await bare.window('tamper').click();
  const { outcome, final } = await bare.result();
  assert.deepEqual([outcome, final], ['REJECTED', true]);
});

bareStory('a listener that throws loses no payment', DESKTOP, async (bare) => {
  await bare.page.evaluate(() => window.checkout.subscribe(() => { throw new Error('cannot draw'); }));
  await bare.pay();
  await bare.window('pay').click();
  assert.equal((await bare.result()).outcome, 'PAID');
});
