/** What checkout.js makes of a payment window that says too little, says nothing, or returns to another browser. */
import assert from 'node:assert/strict';
import { Bare, ORDER, bareStory } from '../bare.mjs';
import { DESKTOP, PHONE, eventually, story } from '../buyer.mjs';
import { simulator } from '../simulator.mjs';
import { system } from '../system.mjs';

const V1 = { ...ORDER, sdk: 'v1' };
const DEPOSIT = { ...ORDER, payMethod: 'VIRTUAL_ACCOUNT' };

const verified = (bare) => bare.posts('/payments/verify').map(({ body }) => body);

/** V1's window never opens, and its callback gets `response`. `THIS` in it stands for the order's own ID. */
const v1Responds = (bare, response) =>
  bare.page.evaluate(async (given) => {
    await window.checkout.load('v1');
    window.IMP.request_pay = ({ merchant_uid: own }, callback) => callback(JSON.parse(JSON.stringify(given).replace('THIS', own)));
  }, response);

/** Stands in for a window of V2 that never responds; `windows` are the IDs of the payments that it opened for. */
const opensSilently = (bare) =>
  bare.page.evaluate(() => {
    window.windows = [];
    window.PortOne = { requestPayment: ({ paymentId }) => new Promise(() => { window.windows.push(paymentId); }) };
  });

const isOpen = (bare, windows = 1) => bare.page.waitForFunction((count) => window.checkout.result?.outcome === 'OPEN' && window.windows.length === count, windows);

// ----------------------------------------------------------------------------------- a window that says too little

bareStory('a V1 callback without merchant_uid and imp_uid is verified by the order that the window opened for', DESKTOP, async (bare) => {
  // What the callback gets for an order that is paid already: iamport-manual, issue 6.
  await bare.page.evaluate(async () => {
    await window.checkout.load('v1');
    const real = window.IMP.request_pay;
    const paid = { success: false, request_id: 'req_1', error_code: 'F400', error_msg: '이미 승인완료된 merchant_uid로 결제를 다시 시도할 수 없습니다.' };
    window.IMP.request_pay = (params, callback) => real(params, () => callback(paid));
  });
  await bare.pay(V1);
  await bare.window('pay').click();
  const { outcome, orderId } = await bare.result();
  assert.equal(outcome, 'PAID');
  assert.deepEqual(verified(bare), [{ merchant_uid: orderId }]);
});

for (const [what, response] of [['an empty', {}], ['no', null]]) {
  bareStory(`${what} V1 response is verified by the order that the window opened for, and the order can be paid`, DESKTOP, async (bare) => {
    await v1Responds(bare, response);
    await bare.pay(V1);
    const { outcome, orderId, payable } = await bare.result();
    assert.deepEqual([outcome, payable], ['WINDOW_FAILED', true]);
    assert.deepEqual(verified(bare), [{ merchant_uid: orderId }]);
  });
}

bareStory('an imp_uid without merchant_uid is added to the order that the window opened for', DESKTOP, async (bare) => {
  await bare.page.evaluate(async () => {
    await window.checkout.load('v1');
    const real = window.IMP.request_pay;
    window.IMP.request_pay = (params, callback) => real(params, ({ imp_uid }) => callback({ imp_uid }));
  });
  await bare.pay(V1);
  await bare.window('pay').click();
  const { outcome, orderId } = await bare.result();
  assert.equal(outcome, 'PAID');
  const { transactionId } = await simulator.payment(orderId);
  assert.deepEqual(verified(bare), [{ imp_uid: transactionId, merchant_uid: orderId }]);
});

bareStory('an order ID that a window responds with does not replace the one that it opened for, in V1 and V2', DESKTOP, async (bare) => {
  const another = '01JDABCDEFGHJKMNPQRSTVWXYZ';
  await v1Responds(bare, { merchant_uid: another, error_code: 'F400', error_msg: '결제창이 열리지 않았습니다.' });
  await bare.pay(V1);
  const first = await bare.result();
  await bare.answersAtOnce({ paymentId: another, code: 'PGProviderError', message: '거절' });
  await bare.pay();
  const second = await bare.result();
  assert.deepEqual([first.outcome, second.outcome], ['WINDOW_FAILED', 'DECLINED']);
  assert.deepEqual(verified(bare), [{ merchant_uid: first.orderId }, { paymentId: second.orderId }]);
});

for (const [what, impUid] of [['a PG mangled', 'not an imp_uid'], ['another order has', undefined]]) {
  bareStory(`an imp_uid that ${what} is dropped, and the order is verified without it`, DESKTOP, async (bare) => {
    let given = impUid;
    if (!given) {
      await bare.pay(V1);
      await bare.window('pay').click();
      given = (await simulator.payment((await bare.result()).orderId)).transactionId;
      bare.calls.length = 0;
    }
    await v1Responds(bare, { imp_uid: given, merchant_uid: 'THIS', error_code: 'F400', error_msg: '결제를 취소하였습니다.' });
    await bare.pay(V1);
    const { outcome, orderId } = await bare.result();
    assert.equal(outcome, 'CLOSED');
    assert.deepEqual(verified(bare), [{ imp_uid: given, merchant_uid: orderId }, { paymentId: orderId }]);
  });
}

bareStory('a V1 order that its window calls paid is not offered for payment while nothing confirms it', DESKTOP, async (bare) => {
  await v1Responds(bare, { success: false, error_code: 'F400', error_msg: '이미 승인완료된 merchant_uid로 결제를 다시 시도할 수 없습니다.' });
  await bare.pay(V1);
  await bare.page.waitForFunction(() => window.heard.length === 3);
  assert.deepEqual(await bare.page.evaluate(() => window.heard), ['OPEN', 'CHECKING', 'CHECKING']);
  assert.equal(await bare.page.evaluate(() => window.checkout.result.payable), false);
});

// ---------------------------------------------------------------------------------- a window that never responds

bareStory('pay pressed while the window is open syncs the order first, and opens the window again for the same order', DESKTOP, async (bare) => {
  await opensSilently(bare);
  const order = [];
  bare.context.on('request', (request) => /verify$/.test(request.url()) && order.push('sync'));
  await bare.page.exposeFunction('opened', () => order.push('open'));
  await bare.page.evaluate(() => {
    const { requestPayment } = window.PortOne;
    window.PortOne.requestPayment = (payment) => window.opened().then(() => requestPayment(payment));
  });
  await bare.page.evaluate((content) => {
    window.presses = [window.checkout.pay(content)];
  }, ORDER);
  await isOpen(bare);
  await bare.page.evaluate((content) => window.presses.push(window.checkout.pay(content), window.checkout.pay(content)), ORDER);
  await isOpen(bare, 2);

  const [first, second] = await bare.page.evaluate(() => window.windows);
  assert.equal(first, second);
  assert.deepEqual(order, ['open', 'sync', 'open']);
  assert.equal(bare.posts('/orders').length, 1);
  // All presses get the same answer.
  await bare.begin('check');
  const { outcome } = await bare.result();
  const outcomes = await bare.page.evaluate(async () => (await Promise.all(window.presses)).map((result) => result.outcome));
  assert.deepEqual(outcomes, [outcome, outcome, outcome]);
});

bareStory('of two windows of one order the earlier one counts when it is paid in, and not when it closes', DESKTOP, async (bare) => {
  await bare.page.evaluate(() => {
    window.windows = [];
    window.PortOne = { requestPayment: ({ paymentId }) => new Promise((respond) => { window.windows.push((said) => respond({ paymentId, ...said })); }) };
  });
  await bare.pay();
  await isOpen(bare);
  await bare.pay();
  await isOpen(bare, 2);
  await bare.pay();
  await isOpen(bare, 3);
  await bare.page.evaluate(() => window.windows[0]({ code: 'PGProviderError', message: '결제창이 닫혔습니다.' }));
  await bare.page.waitForTimeout(300);
  assert.equal(await bare.page.evaluate(() => window.heard.at(-1)), 'OPEN');

  // Manual approval charges nothing without this token.
  await bare.page.evaluate(() => window.windows[1]({ paymentToken: 'a-token' }));
  const paymentId = await bare.page.evaluate(() => window.checkout.lastOrderId);
  await eventually(() => verified(bare).at(-1), (body) => body?.paymentToken === 'a-token');
  assert.deepEqual(verified(bare).at(-1), { paymentId, paymentToken: 'a-token' });
});

bareStory('a window of an earlier order that is paid in late says nothing about the order of the window that is open', DESKTOP, async (bare) => {
  await bare.page.evaluate(() => {
    window.windows = [];
    window.PortOne = { requestPayment: ({ paymentId }) => new Promise((respond) => { window.windows.push(() => respond({ paymentId, paymentToken: 'a-token' })); }) };
  });
  await bare.pay();
  await isOpen(bare);
  await bare.pay({ ...ORDER, items: [{ productId: 'sticker', quantity: 2 }] });
  await isOpen(bare, 2);
  await bare.page.evaluate(() => window.windows[0]());
  await bare.page.waitForTimeout(300);
  assert.equal(await bare.page.evaluate(() => window.heard.at(-1)), 'OPEN');
  assert.deepEqual(verified(bare), []);
});

bareStory('pay pressed while the window is open says PAID of an order whose webhook got lost, and opens no window', DESKTOP, async (bare) => {
  await bare.pay();
  await bare.window('pay').waitFor();
  const orderId = await bare.page.evaluate(() => window.checkout.lastOrderId);
  // The table knows nothing of it: whatever the order is read as, only PortOne knows better.
  await bare.context.route('**/orders/*', async (route) => {
    const response = await route.fetch();
    return route.fulfill({ response, json: { ...(await response.json()), status: 'PENDING' } });
  });
  await simulator.pay(orderId);
  await bare.pay();
  const { outcome, orderId: answered } = await bare.result();
  assert.deepEqual([outcome, answered], ['PAID', orderId]);
  assert.equal(await bare.page.locator('iframe').count(), 1);
});

for (const [which, order] of [['V2', ORDER], ['V1', V1]]) {
  bareStory(`a payment that the webhook reports is shown while the window of ${which} stays silent`, DESKTOP, async (bare) => {
    await bare.pay(order);
    await bare.window('pay').waitFor();
    const orderId = await bare.page.evaluate(() => window.checkout.lastOrderId);
    await simulator.pay(orderId);
    const { outcome, orderId: answered } = await bare.result();
    assert.deepEqual([outcome, answered], ['PAID', orderId]);
    assert.deepEqual(await bare.page.evaluate(() => window.heard), ['OPEN', 'PAID']);
    assert.deepEqual(verified(bare), []);
  });
}

bareStory('an order is looked at behind an open window at growing distances, without end, and not while the page is hidden', DESKTOP, async (bare) => {
  await opensSilently(bare);
  await bare.page.clock.install();
  await bare.pay();
  await isOpen(bare);
  assert.equal(await bare.page.evaluate(() => window.checkout.result.watching), true);
  const passes = async (seconds) => {
    for (let passed = 0; passed < seconds; passed += 1) await bare.page.clock.runFor(1000);
  };
  await passes(20);
  const soon = bare.looks().length;
  await passes(20 * 60);
  const later = bare.looks().length - soon;
  assert.ok(soon >= 2 && soon <= 5, `${soon} looks in 20 s`);
  assert.ok(later >= 10 && later <= 26, `${later} looks in 20 minutes`);

  await bare.page.evaluate(() => Object.defineProperty(document, 'hidden', { configurable: true, value: true }));
  const before = bare.looks().length;
  await passes(5 * 60);
  assert.equal(bare.looks().length, before);
});

bareStory('a page that is shown again looks behind its open window at once, and not at the next beat', DESKTOP, async (bare) => {
  await bare.pay();
  await bare.window('pay').waitFor();
  const orderId = await bare.page.evaluate(() => window.checkout.lastOrderId);
  await bare.page.clock.install();
  await bare.page.clock.pauseAt(Date.now() + 60_000);
  await simulator.pay(orderId);
  await eventually(() => bare.orderNow(), ({ status }) => status === 'PAID');
  // The beat that was due before the clock stood still may have come.
  await bare.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await eventually(() => bare.looks(), ({ length }) => length > 0);
  await eventually(async () => {
    // The window's own moment to report.
    await bare.page.clock.runFor(500);
    return bare.page.evaluate(() => window.heard.at(-1));
  }, (heard) => heard === 'PAID');
});

bareStory('an abort while the window is open stops the looks behind it', DESKTOP, async (bare) => {
  await opensSilently(bare);
  await bare.page.clock.install();
  await bare.page.evaluate((order) => {
    window.stop = new AbortController();
    window.checkout.pay(order, { signal: window.stop.signal }).catch((error) => { window.rejected = error.name; });
  }, ORDER);
  await isOpen(bare);
  await bare.page.clock.runFor(10_000);
  await eventually(() => bare.looks(), ({ length }) => length > 0);
  await bare.page.evaluate(() => window.stop.abort());
  await bare.page.waitForFunction(() => window.rejected === 'AbortError');
  const before = bare.looks().length;
  await bare.page.clock.runFor(600_000);
  await bare.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  assert.equal(bare.looks().length, before);
});

bareStory('after a window has responded nothing looks behind it any more', DESKTOP, async (bare) => {
  await bare.open('', { quiet: true });
  await bare.page.clock.install();
  await bare.pay();
  await bare.window('close').click();
  assert.equal((await bare.result()).outcome, 'CLOSED');
  const before = bare.looks().length;
  await bare.page.clock.runFor(600_000);
  assert.equal(bare.looks().length, before);
});

story('in the shop a window that is gone without a word is opened again by the button for payment', DESKTOP, async (buyer) => {
  const orderId = await buyer.order();
  await buyer.page.evaluate(() => document.querySelectorAll('dialog, iframe').forEach((gone) => gone.remove()));
  await buyer.at('#pay-again').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  assert.equal(await buyer.orderId(), orderId);
  assert.equal(buyer.posts('/orders').length, 1);
});

story('in the shop the order form’s button works too while a window is gone without a word', DESKTOP, async (buyer) => {
  const orderId = await buyer.order();
  await buyer.page.evaluate(() => {
    document.querySelectorAll('dialog, iframe').forEach((gone) => gone.remove());
    history.back();
  });
  await buyer.at('#pay').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  assert.equal(await buyer.orderId(), orderId);
});

story('in the shop a payment that the webhook reports turns the page while its window is silent', DESKTOP, async (buyer) => {
  const orderId = await buyer.order();
  await buyer.page.evaluate(() => document.querySelectorAll('dialog, iframe').forEach((gone) => gone.remove()));
  await simulator.pay(orderId);
  await buyer.isTold('PAID');
});

// ------------------------------------------------------------------------------------------ a return in another browser

/** A phone that has got its account, at the address that the window returned to; nothing has read that address yet. */
async function returned(bare, order) {
  await bare.pay(order);
  await bare.window('issue').click();
  await bare.page.waitForURL(/\/examples\/\?/);
  return { address: bare.page.url(), known: (await bare.stored()).orders[0] };
}

/** Another browser, which opens `address`, and every request that leaves it. */
async function elsewhere(address, use) {
  const context = await system.browser.newContext({ locale: 'ko-KR', ...PHONE });
  try {
    const bare = new Bare(context, true);
    const sent = [];
    context.on('request', (request) => sent.push(request.allHeaders().then((headers) => ({ url: request.url(), headers, body: request.postData() }))));
    bare.page = await context.newPage();
    await bare.page.goto(address);
    await bare.load();
    await bare.begin('resume');
    await use(bare, sent);
  } finally {
    await context.close();
  }
}

for (const [which, order] of [['V2', DEPOSIT], ['V1', { ...DEPOSIT, sdk: 'v1' }]]) {
  bareStory(`the account of a deposit reaches the buyer who returns in another browser from ${which}, and so does the deposit`, PHONE, async (bare) => {
    const { address, known } = await returned(bare, order);
    assert.equal(new URL(address).hash, `#orderToken=${known.orderToken}`);
    assert.match(new URL(address).search, new RegExp(known.orderId));

    await elsewhere(address, async (other, sent) => {
      const result = await other.result();
      assert.equal(result.outcome, 'VIRTUAL_ACCOUNT_ISSUED');
      assert.match(result.order.virtualAccount.accountNumber, /^[\d-]+$/);
      assert.equal(result.watching, true);
      // A reload, as after a visit to the bank's app, shows it too.
      await other.page.reload();
      await other.load();
      await other.begin('check');
      assert.equal((await other.result()).order.virtualAccount.accountNumber, result.order.virtualAccount.accountNumber);
      await simulator.deposit(known.orderId);
      await other.page.waitForFunction(() => window.heard.at(-1) === 'PAID');

      for (const { url, headers, body } of await Promise.all(sent)) {
        const { authorization = '', ...rest } = headers;
        if (authorization) assert.equal(`${new URL(url).origin}/`, system.url);
        // Playwright shows the address of a navigation with its fragment, which the browser keeps to itself.
        const [requested] = url.split('#');
        assert.doesNotMatch(JSON.stringify([requested, rest, body]), new RegExp(known.orderToken));
      }
    });
  });
}

bareStory('the order’s token leaves the address bar before anything else is done, and the page’s own fragment stays', PHONE, async (bare) => {
  await bare.page.evaluate(async (sdks) => {
    const { createCheckout } = await import('/checkout/checkout.js');
    window.checkout = createCheckout({ ...sdks, redirectUrl: `${location.origin}${location.pathname}?shelf=3#/deposits` });
  }, { ...system.config, apiBase: '' });
  const { address, known } = await returned(bare, DEPOSIT);
  assert.equal(new URL(address).hash, `#/deposits&orderToken=${known.orderToken}`);
  await bare.load();
  const [search, hash] = await bare.page.evaluate(() => {
    window.checkout.resume().then((result) => { window.answer = { result }; });
    return [location.search, location.hash];
  });
  assert.deepEqual([search, hash], ['?shelf=3', '#/deposits']);
  assert.equal((await bare.result()).outcome, 'VIRTUAL_ACCOUNT_ISSUED');
});

for (const mark of ['?', '&']) {
  bareStory(`a return whose query is appended to the fragment by “${mark}” is a return all the same, with a clean address`, PHONE, async (bare) => {
    const { known } = await returned(bare, DEPOSIT);
    await elsewhere(`${system.url}checkout/examples/#orderToken=${known.orderToken}${mark}paymentId=${known.orderId}&txId=1`, async (other) => {
      const { outcome, order } = await other.result();
      assert.equal(outcome, 'VIRTUAL_ACCOUNT_ISSUED');
      assert.ok(order.virtualAccount);
      const { search, hash } = new URL(other.page.url());
      assert.deepEqual([search, hash], ['', '']);
    });
  });
}

bareStory('only the order of a deposit gives its token to a return address', DESKTOP, async (bare) => {
  await opensSilently(bare);
  await bare.page.evaluate(() => {
    window.PortOne = { requestPayment: (payment) => new Promise(() => { window.windows.push(payment.redirectUrl); }) };
  });
  await bare.pay();
  await isOpen(bare);
  assert.deepEqual(await bare.page.evaluate(() => window.windows), [`${system.url}checkout/examples/`]);
});

bareStory('a link with an order’s token brings in none of its own words, and changes no order that this browser made', PHONE, async (bare) => {
  const { known } = await returned(bare, DEPOSIT);
  const words = `code=PGProviderError&message=${encodeURIComponent('전화 주세요')}`;
  await elsewhere(`${system.url}checkout/examples/?paymentId=${known.orderId}&${words}#orderToken=${known.orderToken}`, async (other) => {
    const result = await other.result();
    assert.equal(result.outcome, 'VIRTUAL_ACCOUNT_ISSUED');
    assert.doesNotMatch(JSON.stringify(result), /전화/);
  });

  await bare.open(`?paymentId=${known.orderId}#orderToken=forged`);
  await bare.begin('resume');
  assert.ok((await bare.result()).order.virtualAccount);
  assert.equal((await bare.stored()).orders[0].orderToken, known.orderToken);
});

bareStory('a wrong token shows no more than no token, and a link to no order leaves nothing behind', PHONE, async (bare) => {
  const { known } = await returned(bare, DEPOSIT);
  await elsewhere(`${system.url}checkout/examples/?paymentId=${known.orderId}#orderToken=forged`, async (other) => {
    const { outcome, order } = await other.result();
    assert.equal(outcome, 'VIRTUAL_ACCOUNT_ISSUED');
    assert.deepEqual(Object.keys(order).sort(), ['amount', 'orderId', 'status']);
  });
  await elsewhere(`${system.url}checkout/examples/?paymentId=01JDABCDEFGHJKMNPQRSTVWXYZ#orderToken=${known.orderToken}`, async (other) => {
    assert.equal((await other.result()).outcome, 'NOT_FOUND');
    assert.deepEqual((await other.stored()).orders, []);
  });
});

story('in the shop a deposit’s account is shown in another browser, and the deposit turns the page', PHONE, async (buyer) => {
  // Where the window returns to: taken before the page there reads it.
  await buyer.context.route(/[?&]paymentId=/, (route) => route.fulfill({ contentType: 'text/html', body: '<title>return</title>' }));
  const orderId = await buyer.order({ payMethod: 'VIRTUAL_ACCOUNT' });
  await buyer.window('issue').click();
  await buyer.page.waitForURL(/paymentId=/);
  const address = buyer.page.url();
  await buyer.context.unroute(/[?&]paymentId=/);
  const { virtualAccount } = await eventually(() => buyer.orderNow(), ({ status }) => status === 'VIRTUAL_ACCOUNT_ISSUED');

  await buyer.forgetAll();
  await buyer.page.goto(address);
  await buyer.isTold('VIRTUAL_ACCOUNT_ISSUED');
  assert.equal(await buyer.at('#account-number').innerText(), virtualAccount.accountNumber);
  const { search, hash } = new URL(buyer.page.url());
  assert.deepEqual([search, hash], ['', '#result']);
  await simulator.deposit(orderId);
  await buyer.isTold('PAID');
});
