/** The same shop through PortOne V1 (Iamport): its window, its callback, its return, and both generations at once. */
import assert from 'node:assert/strict';
import { DESKTOP, PHONE, eventually, readOrder, story } from '../buyer.mjs';
import { passesAxe } from '../axe.mjs';
import { simulator } from '../simulator.mjs';

const V1 = { sdk: 'v1' };

/** From the door to V1's window, as `buyer.order` goes to V2's. */
async function orderInV1(buyer, details) {
  const orderId = await buyer.order({ ...V1, ...details });
  assert.equal((await simulator.payment(orderId)).version, 'V1');
  return orderId;
}

/** What the page asks verify with, in order. */
async function verifyBodies(buyer) {
  const bodies = [];
  await buyer.context.route('**/payments/verify', (route) => {
    bodies.push(route.request().postDataJSON());
    return route.continue();
  });
  return bodies;
}

/** What a tampering script would do: stand between the shop and V1's script. */
const changeTheAmount = (buyer) =>
  buyer.page.addInitScript(() => {
    let real;
    Object.defineProperty(window, 'IMP', {
      configurable: true,
      get: () => real && { ...real, request_pay: (params, callback) => real.request_pay({ ...params, amount: 100 }, callback) },
      set: (value) => { real = value; },
    });
  });

story('a V1 payment made in the window ends in PAID, and verify is asked by imp_uid and order', DESKTOP, async (buyer) => {
  const bodies = await verifyBodies(buyer);
  const orderId = await orderInV1(buyer);
  await buyer.window('pay').click();
  await buyer.isTold('PAID');

  const order = await buyer.orderNow();
  assert.equal(order.status, 'PAID');
  assert.equal(order.amount.paid, order.amount.total);
  const { transactionId } = await simulator.payment(orderId);
  assert.deepEqual(bodies, [{ imp_uid: transactionId, merchant_uid: orderId }]);
});

story('a declined V1 payment is told with its reason and tried again on the same order', DESKTOP, async (buyer) => {
  const orderId = await orderInV1(buyer);
  await buyer.window('decline').click();
  await buyer.isTold('DECLINED');
  await buyer.at('#result-reason').filter({ hasText: '거절', visible: true }).waitFor();
  assert.equal((await buyer.orderNow()).status, 'PENDING');

  await buyer.at('#pay-again').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  assert.equal(await buyer.orderId(), orderId);
  assert.equal(buyer.posts('/orders').length, 1);
});

story('a closed V1 window says that nothing was paid, and the same order can still be paid', DESKTOP, async (buyer) => {
  await orderInV1(buyer);
  await buyer.window('close').click();
  await buyer.isTold('CLOSED');

  await buyer.at('#pay-again').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
});

story('a tab closed right after paying through V1: the one unsigned webhook finishes the order', DESKTOP, async (buyer) => {
  const orderId = await orderInV1(buyer);
  const [known] = await buyer.known();
  // Whatever this page may still try, it does not reach the API.
  await buyer.context.route('**/payments/verify', (route) => route.abort());
  await buyer.window('pay').click();
  await eventually(() => simulator.payment(orderId), (payment) => payment.status === 'PAID');
  await buyer.page.close();

  const { body } = await eventually(() => readOrder(known), ({ body: order }) => order.status === 'PAID');
  assert.equal(body.amount.paid, body.amount.total);

  // And whoever comes back is told, in a new tab, without having asked.
  await buyer.context.unroute('**/payments/verify');
  await buyer.open();
  await buyer.isTold('PAID');
});

for (const [where, device] of [['on a PC', DESKTOP], ['on a phone', PHONE]]) {
  story(`a page that changes the amount before V1's window opens is told that it stays shut, ${where}`, device, async (buyer) => {
    const bodies = await verifyBodies(buyer);
    await changeTheAmount(buyer);
    await buyer.page.reload();
    await buyer.choose();
    await buyer.fillIn(V1);
    await buyer.at('#pay').click();
    await buyer.isTold('TAMPERED');

    assert.match(await buyer.at('#receipt').innerText(), /금액이 주문과 달라/);
    assert.equal(await buyer.page.locator('iframe').count(), 0);
    const orderId = await buyer.orderId();
    assert.equal((await buyer.orderNow()).status, 'PENDING');
    assert.equal(await simulator.payment(orderId), undefined);
    // A window that never opened has no imp_uid: the order alone is verified.
    assert.deepEqual(bodies, [{ merchant_uid: orderId }]);
  });
}

story("a V1 window that does not open for another reason says so, with V1's words", DESKTOP, async (buyer) => {
  await buyer.context.route('**/v1/windows', async (route) => {
    const sent = route.request().postDataJSON();
    return route.continue({ postData: { ...sent, params: { ...sent.params, channelKey: 'none-such' } } });
  }, { times: 1 });
  await buyer.choose();
  await buyer.fillIn(V1);
  await buyer.at('#pay').click();
  await buyer.isTold('WINDOW_FAILED');
  await buyer.at('#result-reason').filter({ hasText: 'PG 설정 정보', visible: true }).waitFor();

  await buyer.at('#pay-again').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
});

story('an amount changed in the V1 window is told to go back, and the order is REJECTED', DESKTOP, async (buyer) => {
  const orderId = await orderInV1(buyer);
  await buyer.window('tamper').click();
  await buyer.isTold('REJECTED');

  assert.match(await buyer.at('#receipt').innerText(), /돌려드려요/);
  assert.equal((await buyer.orderNow()).status, 'REJECTED');
  assert.equal((await simulator.payment(orderId)).status, 'CANCELLED');
});

story("a phone comes back by V1's redirect, is told the result, and keeps no payment in its address", PHONE, async (buyer) => {
  const bodies = await verifyBodies(buyer);
  const orderId = await orderInV1(buyer);
  assert.notEqual(new URL(buyer.page.url()).pathname, '/');
  await buyer.window('pay').click();
  await buyer.isTold('PAID');

  assert.equal(new URL(buyer.page.url()).search, '');
  const { transactionId } = await simulator.payment(orderId);
  assert.deepEqual(bodies, [{ imp_uid: transactionId, merchant_uid: orderId }]);
  assert.equal((await buyer.orderNow()).status, 'PAID');
});

story("a phone whose V1 payment was declined comes back, is told why, and pays the same order", PHONE, async (buyer) => {
  const orderId = await orderInV1(buyer);
  await buyer.window('decline').click();
  await buyer.isTold('DECLINED');
  await buyer.at('#result-reason').filter({ hasText: '거절', visible: true }).waitFor();
  assert.equal(new URL(buyer.page.url()).search, '');

  await buyer.at('#pay-again').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  assert.equal(await buyer.orderId(), orderId);
});

story('a V1 virtual account is shown, and the deposit turns the page', PHONE, async (buyer) => {
  const orderId = await orderInV1(buyer, { payMethod: 'VIRTUAL_ACCOUNT' });
  await buyer.window('issue').click();
  await buyer.isTold('VIRTUAL_ACCOUNT_ISSUED');
  const { virtualAccount } = await buyer.orderNow();
  assert.equal(await buyer.at('#account-number').innerText(), virtualAccount.accountNumber);

  await simulator.deposit(orderId);
  await buyer.isTold('PAID');
});

story('a slow V1 approval, which V1 has no status for, is waited for and turns PAID by itself', DESKTOP, async (buyer) => {
  const orderId = await orderInV1(buyer);
  await buyer.window('slow').click();
  await buyer.isTold('CHECKING');
  assert.equal(await buyer.at('#pay-again').isHidden(), true, 'who may have paid is not asked to pay');
  await simulator.pay(orderId);
  await buyer.isTold('PAID');
});

story('a page reloaded while the V1 window is open knows no imp_uid, and pays the same order', DESKTOP, async (buyer) => {
  const orderId = await orderInV1(buyer);
  await buyer.page.reload();
  await buyer.isTold('UNPAID');
  await buyer.at('#pay-again').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  assert.equal(await buyer.orderId(), orderId);
});

story('a V1 verify answer that gets lost is made up for by reading the order', DESKTOP, async (buyer) => {
  await buyer.context.route('**/payments/verify', async (route) => {
    await route.fetch();
    await route.abort();
  });
  await orderInV1(buyer);
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  assert.ok(buyer.answers.some(({ method, path, status }) => method === 'GET' && path.startsWith('/orders/') && status === 200));
});

story("another order's imp_uid in the return address pays for nothing", DESKTOP, async (buyer) => {
  const paid = await orderInV1(buyer);
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  const { transactionId } = await simulator.payment(paid);

  await buyer.at('#back-to-shop').click();
  const unpaid = await orderInV1(buyer);
  await buyer.open(`?imp_uid=${transactionId}&merchant_uid=${unpaid}`);
  await buyer.at('#receipt[data-status="PENDING"]').waitFor();
  assert.ok(buyer.posts('/payments/verify').some(({ status }) => status === 422));
  assert.equal((await buyer.orderNow()).status, 'PENDING');
});

story('a V1 link cannot put its own words on the page, except about an order of this browser', DESKTOP, async (buyer) => {
  const orderId = await orderInV1(buyer);
  const { transactionId } = await simulator.payment(orderId);
  await buyer.forgetAll();
  await buyer.open(`?imp_uid=${transactionId}&merchant_uid=${orderId}&error_code=F400&error_msg=${encodeURIComponent('전화 주세요')}`);
  await buyer.isTold('DECLINED');
  assert.equal(await buyer.at('#result-lines li').count(), 0);
  assert.doesNotMatch(await buyer.at('main').innerText(), /전화 주세요/);
});

story('a V1 order after a V2 order in one tab: both are paid, each through its own generation', DESKTOP, async (buyer) => {
  const first = await buyer.order();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  assert.equal(await buyer.page.evaluate(() => 'IMP' in window), false, 'who does not pay through V1 does not load it');

  await buyer.at('#back-to-shop').click();
  const second = await orderInV1(buyer);
  await buyer.window('pay').click();
  await buyer.isTold('PAID');

  assert.notEqual((await simulator.payment(first)).version, 'V1');
  for (const known of await buyer.known()) assert.equal((await readOrder(known)).body.status, 'PAID');
});

story('the same things in the other generation are another order, and each is tried again in its own window', DESKTOP, async (buyer) => {
  const inV2 = await buyer.order();
  await buyer.window('decline').click();
  await buyer.isTold('DECLINED');

  await buyer.at('#change-order').click();
  await buyer.at('[name=sdk][value=v1]').check();
  await buyer.at('#pay').click();
  await buyer.window('decline').click();
  await buyer.isTold('DECLINED');
  const inV1 = await buyer.orderId();
  assert.notEqual(inV1, inV2);

  // The switch is about the next order, not about this one.
  await buyer.at('#change-order').click();
  await buyer.at('[name=sdk][value=v2]').check();
  await buyer.at('#my-order').click();
  await buyer.at('#pay-again').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  assert.equal(await buyer.orderId(), inV1);
  assert.equal((await simulator.payment(inV1)).version, 'V1');
});

story('a V1 script that is blocked is told before anything is ordered, and V2 still works', DESKTOP, async (buyer) => {
  await buyer.context.route('**/iamport.js', (route) => route.abort());
  await buyer.choose();
  await buyer.fillIn(V1);
  await buyer.at('#pay').click();
  await buyer.at('#order-trouble').filter({ hasText: '결제창' }).waitFor();
  assert.equal(buyer.posts('/orders').length, 0);

  await buyer.at('[name=sdk][value=v2]').check();
  await buyer.at('#pay').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
});

story("V1's script is initialised once, however often the form is opened", DESKTOP, async (buyer) => {
  const warnings = [];
  buyer.page.on('console', (message) => message.type() === 'warning' && warnings.push(message.text()));
  await orderInV1(buyer);
  await buyer.window('decline').click();
  await buyer.isTold('DECLINED');
  await buyer.at('#change-order').click();
  await buyer.at('#pay').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  assert.deepEqual(warnings, []);
});

story('the address may ask for V1 once, and after that the choice is the visitor’s, for this tab', DESKTOP, async (buyer) => {
  const chosen = () => buyer.at('[name=sdk]:checked').inputValue();
  assert.equal(await chosen(), 'v2');
  await buyer.open('?sdk=v1');
  await buyer.at('.product').first().waitFor();
  assert.equal(await chosen(), 'v1');
  assert.equal(new URL(buyer.page.url()).search, '');

  await buyer.choose();
  await buyer.at('#bar a').click();
  await buyer.page.reload();
  await buyer.at('#summary-lines li').first().waitFor();
  assert.equal(await chosen(), 'v1');
  await buyer.at('[name=sdk][value=v2]').check();
  await buyer.page.reload();
  await buyer.at('#summary-lines li').first().waitFor();
  assert.equal(await chosen(), 'v2');

  await buyer.open('?sdk=v3');
  await buyer.at('.product').first().waitFor();
  assert.equal(await chosen(), 'v2');
});

story('a shop that has one generation offers no choice', DESKTOP, async (buyer) => {
  await buyer.context.route('**/config.js', async (route) => {
    const response = await route.fetch();
    return route.fulfill({ response, body: (await response.text()).replace('"portoneSdk"', '"unused"') });
  });
  await buyer.page.reload();
  await buyer.choose();
  await buyer.at('#bar a').click();
  await buyer.at('#pay-methods').waitFor();
  assert.equal(await buyer.at('#generations').isHidden(), true);
  assert.equal(await buyer.at('[name=sdk]:checked').inputValue(), 'v1');
});

const devices = { 'at 390 px': PHONE, 'at 1280 px': DESKTOP, 'at 390 px in the dark': { ...PHONE, colorScheme: 'dark' } };
for (const [where, device] of Object.entries(devices)) {
  story(`the choice of generation is a named group for the keyboard, and axe finds nothing serious ${where}`, device, async (buyer) => {
    await buyer.choose();
    await buyer.fillIn();
    const group = buyer.page.getByRole('group', { name: '결제 연동' });
    await group.getByRole('radio', { name: 'V2' }).focus();
    await buyer.page.keyboard.press('ArrowDown');
    assert.equal(await group.getByRole('radio', { name: 'V1 아임포트' }).isChecked(), true);
    await passesAxe(buyer.page, 'form with V1');
    await buyer.at('#pay').click();
    await buyer.window('pay').waitFor();
    await passesAxe(buyer.page, 'payment window of V1');
    await buyer.window('pay').click();
    await buyer.isTold('PAID');
  });
}
