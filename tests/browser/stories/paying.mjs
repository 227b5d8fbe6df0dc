/** What a buyer does in PortOne's window, and what the shop tells after it. */
import assert from 'node:assert/strict';
import { DESKTOP, PHONE, story } from '../buyer.mjs';
import { simulator } from '../simulator.mjs';

story('a payment made in the window ends in PAID', DESKTOP, async (buyer) => {
  await buyer.order();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');

  const order = await buyer.orderNow();
  assert.equal(order.status, 'PAID');
  assert.equal(order.amount.paid, order.amount.total);
  assert.equal(await buyer.at('#result-lines li').count(), 2);
});

story('after a paid order the shop starts empty, and the order can be looked at again', DESKTOP, async (buyer) => {
  await buyer.order();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');

  await buyer.at('#back-to-shop').click();
  await buyer.at('.add').first().waitFor();
  assert.equal(await buyer.at('#bar').isHidden(), true);
  await buyer.at('#my-order').click();
  await buyer.isTold('PAID');

  // And on another day, in another tab.
  await buyer.open();
  await buyer.at('.add').first().waitFor();
  await buyer.at('#my-order').click();
  await buyer.isTold('PAID');
});

story('the same things ordered again after paying are another order', DESKTOP, async (buyer) => {
  const first = await buyer.order();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');

  await buyer.at('#back-to-shop').click();
  const second = await buyer.order();
  assert.notEqual(second, first);
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
});

story('a declined payment is told with its reason and tried again on the same order', DESKTOP, async (buyer) => {
  const orderId = await buyer.order();
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

story('after a declined payment another way to pay makes another order', DESKTOP, async (buyer) => {
  const orderId = await buyer.order();
  await buyer.window('decline').click();
  await buyer.isTold('DECLINED');

  await buyer.at('#change-order').click();
  assert.equal(await buyer.at('#name').inputValue(), '홍길동');
  await buyer.at('[name=payMethod][value=TRANSFER]').check();
  await buyer.at('#pay').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');

  assert.notEqual(await buyer.orderId(), orderId);
  const [first, second] = buyer.posts('/orders');
  assert.notEqual(first.key, second.key);
});

story('a closed window says that nothing was paid, and the same order can still be paid', DESKTOP, async (buyer) => {
  await buyer.order();
  await buyer.window('close').click();
  await buyer.isTold('CLOSED');

  await buyer.at('#pay-again').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
});

story('a phone comes back by redirect, is told the result, and keeps no payment in its address', PHONE, async (buyer) => {
  const orderId = await buyer.order();
  assert.notEqual(new URL(buyer.page.url()).pathname, '/');
  await buyer.window('pay').click();
  await buyer.isTold('PAID');

  const address = new URL(buyer.page.url());
  assert.equal(address.search, '');
  assert.equal(await buyer.orderId(), orderId);
  assert.equal((await buyer.orderNow()).status, 'PAID');
});

story('a phone whose payment was declined comes back and pays the same order', PHONE, async (buyer) => {
  const orderId = await buyer.order();
  await buyer.window('decline').click();
  await buyer.isTold('DECLINED');
  assert.equal(new URL(buyer.page.url()).search, '');

  await buyer.at('#pay-again').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  assert.equal(await buyer.orderId(), orderId);
});

story('the older spelling payment_id comes back as well', PHONE, async (buyer) => {
  const orderId = await buyer.order();
  await simulator.pay(orderId);
  await buyer.forgetAll();
  await buyer.open(`?payment_id=${orderId}`);
  await buyer.isTold('PAID');
});

story('a slow approval is waited for and turns PAID by itself', DESKTOP, async (buyer) => {
  const orderId = await buyer.order();
  await buyer.window('slow').click();
  await buyer.isTold('PAY_PENDING');
  await simulator.pay(orderId);
  await buyer.isTold('PAID');
});

story('a slow approval that is declined in the end is told, and the same order can be paid', DESKTOP, async (buyer) => {
  const orderId = await buyer.order();
  await buyer.window('slow').click();
  await buyer.isTold('PAY_PENDING');
  await simulator.decline(orderId);
  await buyer.isTold('DECLINED');

  await buyer.at('#pay-again').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  assert.equal(await buyer.orderId(), orderId);
});

story('a virtual account is shown with what to transfer, and the deposit turns the page', PHONE, async (buyer) => {
  await buyer.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const orderId = await buyer.order({ payMethod: 'VIRTUAL_ACCOUNT' });
  await buyer.window('issue').click();
  await buyer.isTold('VIRTUAL_ACCOUNT_ISSUED');

  const { virtualAccount, amount } = await buyer.orderNow();
  assert.equal(await buyer.at('#account-number').innerText(), virtualAccount.accountNumber);
  await buyer.at('[data-copy=account-number]').click();
  await buyer.page.waitForFunction((text) => document.querySelector('#status').textContent.includes(text), '계좌번호');
  assert.equal(await buyer.page.evaluate(() => navigator.clipboard.readText()), virtualAccount.accountNumber);
  await buyer.at('[data-copy=account-amount]').click();
  await buyer.page.waitForFunction((total) => navigator.clipboard.readText().then((text) => text === total), String(amount.total));

  await simulator.deposit(orderId);
  await buyer.isTold('PAID');
});

story('an amount changed in the window is told to go back, and the order is REJECTED', DESKTOP, async (buyer) => {
  const orderId = await buyer.order();
  await buyer.window('tamper').click();
  await buyer.isTold('REJECTED');

  assert.match(await buyer.at('#receipt').innerText(), /돌려드려요/);
  assert.equal((await buyer.orderNow()).status, 'REJECTED');
  const payment = await simulator.payment(orderId);
  assert.equal(payment.status, 'CANCELLED');
});

story('a payment on a channel of the other kind is told to go back', DESKTOP, async (buyer) => {
  await buyer.order();
  await buyer.window('test-channel').click();
  await buyer.isTold('REJECTED');
  assert.equal((await buyer.orderNow()).status, 'REJECTED');
});

story('a page that changes the amount before the window opens is refused before money moves', DESKTOP, async (buyer) => {
  // What a tampering script would do: stand between the shop and PortOne's SDK.
  await buyer.page.addInitScript(() => {
    let real;
    Object.defineProperty(window, 'PortOne', {
      configurable: true,
      get: () => real && { ...real, requestPayment: (request) => real.requestPayment({ ...request, totalAmount: 100 }) },
      set: (value) => { real = value; },
    });
  });
  await buyer.page.reload();
  await buyer.choose();
  await buyer.fillIn();
  await buyer.at('#pay').click();
  await buyer.isTold('TAMPERED');

  assert.equal((await buyer.orderNow()).status, 'PENDING');
  const payment = await simulator.payment(await buyer.orderId());
  assert.notEqual(payment?.status, 'PAID');
});
