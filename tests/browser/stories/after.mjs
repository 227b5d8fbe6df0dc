/** After the window: deposits, cancellations, what is sold out, and payments that this backend approves. */
import assert from 'node:assert/strict';
import { passesAxe } from '../axe.mjs';
import { Buyer, DESKTOP, PHONE, story } from '../buyer.mjs';
import { operator } from '../operator.mjs';
import { simulator } from '../simulator.mjs';
import { startSystemOfManualApproval } from '../system.mjs';

/** Both products of `buyer.order` together. */
const TOTAL = 13_000;

const ACCOUNT = { payMethod: 'VIRTUAL_ACCOUNT' };

/** From the door to the account to transfer to; answers the order's id. */
async function orderByAccount(buyer, details) {
  const orderId = await buyer.order({ ...ACCOUNT, ...details });
  await buyer.window('issue').click();
  await buyer.isTold('VIRTUAL_ACCOUNT_ISSUED');
  return orderId;
}

async function buy(buyer) {
  const orderId = await buyer.order();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  return orderId;
}

/** The money of the receipt: `{label: amount}`. */
const moneyOf = async (buyer) =>
  Object.fromEntries(await buyer.at('#result-facts .total, #result-facts .back, #result-facts .under-way').evaluateAll((facts) =>
    facts.map((fact) => [fact.querySelector('dt').textContent, fact.querySelector('dd').textContent])));

/** A moment as Korea's clocks show it, without the page's own means. */
function inKorea(moment) {
  const at = new Date(Date.parse(moment) + 9 * 3_600_000);
  const [time] = /\d\d:\d\d/.exec(at.toISOString());
  return { month: at.getUTCMonth() + 1, day: at.getUTCDate(), weekday: '일월화수목금토'[at.getUTCDay()], time };
}

story('a deposit made on the console turns the waiting page to PAID by itself, without asking PortOne', PHONE, async (buyer) => {
  const orderId = await orderByAccount(buyer);
  const [console_] = await Promise.all([buyer.context.waitForEvent('page'), buyer.at('#simulator-console').click()]);
  const payment = console_.locator('#payments details', { hasText: orderId });
  await payment.locator('summary').click();
  await payment.locator('[data-action=deposit]').click();

  await buyer.isTold('PAID');
  assert.equal(await buyer.at('#account').isHidden(), true);
  assert.equal((await buyer.orderNow()).amount.paid, TOTAL);
  assert.equal(buyer.posts('/payments/verify').length, 1, 'the look right after the window, and no other');
});

for (const sdk of ['v2', 'v1']) {
  story(`an account is told in the words of the buyer's language, with its deadline in Korean time (${sdk})`, DESKTOP, async (buyer) => {
    await orderByAccount(buyer, { sdk });
    const { virtualAccount } = await buyer.orderNow();
    const { month, day, weekday, time } = inKorea(virtualAccount.expiresAt);
    assert.equal(await buyer.at('#account-bank').innerText(), '신한은행');
    assert.equal(await buyer.at('#account-holder').innerText(), virtualAccount.holder);
    assert.equal(await buyer.at('#account-amount').innerText(), '13,000원');
    assert.equal(await buyer.at('#account-until').innerText(), `${month}월 ${day}일 (${weekday}) ${time}까지`);

    await buyer.at('#language').click();
    assert.equal(await buyer.at('#account-bank').innerText(), 'Shinhan Bank');
    assert.equal(await buyer.at('#account-holder').getAttribute('lang'), 'ko');
    assert.match(await buyer.at('#account-until').innerText(), new RegExp(`\\b${day}\\b.*\\b${time} KST$`));
  });
}

story('the copy button puts the bare account number on the clipboard, and only the last one says so', PHONE, async (buyer) => {
  await buyer.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await orderByAccount(buyer);
  const clipboard = () => buyer.page.evaluate(() => navigator.clipboard.readText());
  const number = buyer.at('[data-copy=account-number]');
  const amount = buyer.at('[data-copy=account-amount]');

  await amount.click();
  await amount.filter({ hasText: '복사됨' }).waitFor();
  assert.equal(await clipboard(), String(TOTAL));
  await number.click();
  await number.filter({ hasText: '복사됨' }).waitFor();
  assert.equal(await clipboard(), (await buyer.orderNow()).virtualAccount.accountNumber);
  assert.equal(await amount.innerText(), '복사');
});

story('a deadline that passes is told on the waiting page, and a deposit in time still turns it to PAID', DESKTOP, async (buyer) => {
  const orderId = await orderByAccount(buyer);
  const { virtualAccount } = await buyer.orderNow();
  await buyer.page.clock.setFixedTime(Date.parse(virtualAccount.expiresAt) + 60_000);
  await buyer.isTold('ACCOUNT_OVERDUE');
  assert.equal(await buyer.at('#account').isHidden(), true, 'nobody is invited to transfer any more');
  assert.match(await buyer.at('#receipt').innerText(), /더는 입금하지 마시고/);

  await simulator.deposit(orderId);
  await buyer.at('#check-again').click();
  await buyer.isTold('PAID');
});

story('a partial cancellation by an operator is seen by the buyer, with what is left', DESKTOP, async (buyer) => {
  const orderId = await buy(buyer);
  const { status, body } = await operator.cancel(orderId, { amount: 3000 });
  assert.equal(status, 200, JSON.stringify(body));
  await buyer.page.reload();
  await buyer.isTold('PARTIAL_CANCELLED');
  assert.deepEqual(await moneyOf(buyer), { 합계: '13,000원', '부분 취소': '−3,000원', '남은 금액': '10,000원' });
});

story('a full cancellation by an operator is seen by the buyer, with all that went back', PHONE, async (buyer) => {
  const orderId = await buy(buyer);
  assert.equal((await operator.cancel(orderId)).status, 200);
  await buyer.page.reload();
  await buyer.isTold('CANCELLED');
  assert.deepEqual(await moneyOf(buyer), { 합계: '13,000원', '전액 취소': '−13,000원' });
  assert.match(await buyer.at('#receipt').innerText(), /결제하신 금액은 모두/);
});

story('an order cancelled before it was paid is told so, and the account is taken away', PHONE, async (buyer) => {
  const orderId = await orderByAccount(buyer);
  assert.equal((await operator.cancel(orderId)).status, 200);
  await buyer.isTold('CANCELLED');
  assert.equal(await buyer.at('#account').isHidden(), true);
  assert.deepEqual(await moneyOf(buyer), { 합계: '13,000원' });
  assert.match(await buyer.at('#receipt').innerText(), /결제된 금액은 없어요/);
});

story('a cancellation that the PG has not decided is told as under way, and ends on the page by itself', DESKTOP, async (buyer) => {
  const orderId = await buy(buyer);
  await simulator.cancelMode(orderId, 'ASYNC');
  assert.equal((await operator.cancel(orderId, { amount: 3000 })).status, 202);
  await buyer.page.reload();
  await buyer.isTold('CANCELLING');
  assert.deepEqual(await moneyOf(buyer), { 합계: '13,000원', '취소 진행 중': '3,000원' });

  await simulator.approveCancellation(orderId);
  await buyer.isTold('PARTIAL_CANCELLED');
  assert.deepEqual(await moneyOf(buyer), { 합계: '13,000원', '부분 취소': '−3,000원', '남은 금액': '10,000원' });
});

story('a cancellation that the PG refused is none of the buyer’s', DESKTOP, async (buyer) => {
  const orderId = await buy(buyer);
  await simulator.cancelMode(orderId, 'FAIL_IN_BAND');
  const { body } = await operator.cancel(orderId, { amount: 3000 });
  assert.equal(body.cancellation.status, 'FAILED');
  assert.equal((await buyer.orderNow()).cancellations.length, 1);
  await buyer.page.reload();
  await buyer.isTold('PAID');
  assert.deepEqual(await moneyOf(buyer), { 합계: '13,000원' });
});

/** The rice jar, of which there are three, and something of which there is enough. */
const JAR = 'onggi-rice-jar';

story('what is sold out is told at its line, where the quantity is changed; what is gone is taken out', DESKTOP, async (buyer) => {
  await buyer.choose(['sticker', JAR]);
  await buyer.fillIn();
  const line = buyer.at(`#summary-lines [data-product=${JAR}]`);
  for (const _ of [2, 3, 4]) await line.locator('.more').click();
  // Enter is done with the quantity and does not pay.
  await line.locator('input').press('Enter');
  assert.equal(await buyer.at('#pay').getAttribute('aria-disabled'), 'false');
  assert.equal(await buyer.at('#summary-total').innerText(), '357,000원');
  assert.equal(buyer.posts('/orders').length, 0);

  await buyer.at('#pay').click();
  await line.locator('.fault', { hasText: '남은 수량이 부족' }).waitFor();
  assert.deepEqual(buyer.posts('/orders').map(({ status }) => status), [422]);
  await buyer.at('#faults a', { hasText: '옹기 쌀항아리' }).click();
  assert.equal(await buyer.page.evaluate(() => document.activeElement.id), `quantity-of-${JAR}`);
  assert.equal(await line.locator('input').getAttribute('aria-invalid'), 'true');
  assert.equal(await buyer.at('#summary-lines .fault:not(:empty)').count(), 1);

  // Another buyer has them in the order when the last ones go.
  const late = await Buyer.arrive(PHONE);
  await late.choose(['sticker', JAR]);
  await late.fillIn();

  // Mended as it is typed: nothing moves any more when the press on the button leaves the field.
  await line.locator('input').selectText();
  await line.locator('input').pressSequentially('3');
  assert.equal(await line.locator('.fault').innerText(), '');
  assert.equal(await buyer.at('#faults').isHidden(), true);
  await buyer.at('#pay').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');

  await late.at('#pay').click();
  await late.at('#items-fault', { hasText: '주문에서 뺐어요' }).waitFor();
  assert.match(await late.at('#faults').innerText(), /옹기 쌀항아리/);
  assert.equal(await late.at('#summary-total').innerText(), '1,000원');
  await late.at('#pay').click();
  await late.window('pay').click();
  await late.isTold('PAID');
  await late.context.close();
});

for (const [where, device] of [['on a PC', DESKTOP], ['on a phone, by its return', PHONE]]) {
  story(`a payment approved by hand is charged when the page brings its token, ${where}`, { ...device, start: startSystemOfManualApproval }, async (buyer, own) => {
    const claims = [];
    await buyer.context.route('**/payments/verify', async (route) => {
      claims.push({ body: route.request().postDataJSON(), status: (await simulator.payment(orderId, own)).status });
      return route.continue();
    });
    const orderId = await buyer.order();
    await own.byHand();
    await buyer.window('pay').click();
    await buyer.isTold('PAID');

    const [{ body, status }] = claims;
    assert.equal(status, 'READY', 'nothing is charged before the backend says so');
    assert.deepEqual(Object.keys(body), ['paymentId', 'paymentToken']);
    assert.equal((await buyer.orderNow()).amount.paid, TOTAL);
    assert.equal((await simulator.payment(orderId, own)).status, 'PAID');
    assert.equal(new URL(buyer.page.url()).search, '');
  });
}

story('a token that verify was not reached with is brought again, by itself', { ...DESKTOP, start: startSystemOfManualApproval }, async (buyer, own) => {
  let lost = 0;
  await buyer.context.route('**/payments/verify', (route) => {
    lost += 1;
    return lost > 3 ? route.continue() : route.abort();
  });
  await buyer.order();
  await own.byHand();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  assert.equal(lost, 4);
});

const devices = { 'at 390 px': PHONE, 'at 1280 px': DESKTOP, 'at 390 px in the dark': { ...PHONE, colorScheme: 'dark' } };

for (const [where, device] of Object.entries(devices)) {
  story(`axe finds nothing serious from a sold-out line to an order partly cancelled ${where}`, device, async (buyer) => {
    // More than there are, and never enough to be had: this story takes nothing away from others.
    await buyer.choose(['sticker', 'jeju-green-tea']);
    await buyer.fillIn(ACCOUNT);
    const line = buyer.at('#summary-lines [data-product=jeju-green-tea]');
    await line.locator('input').fill('999');
    await buyer.at('#pay').click();
    await line.locator('.fault', { hasText: '부족' }).waitFor();
    await passesAxe(buyer.page, 'sold out');

    await line.locator('input').fill('1');
    await buyer.at('#pay').click();
    await buyer.window('issue').click();
    await buyer.isTold('VIRTUAL_ACCOUNT_ISSUED');
    await passesAxe(buyer.page, 'account waiting');
    const orderId = await buyer.orderId();
    await simulator.deposit(orderId);
    await buyer.isTold('PAID');
    await passesAxe(buyer.page, 'deposited');

    const refundAccount = { bank: 'SHINHAN', number: '110123456789', holderName: '홍길동' };
    await operator.cancel(orderId, { amount: 3000, refundAccount });
    await simulator.cancelMode(orderId, 'ASYNC');
    await operator.cancel(orderId, { amount: 5000, refundAccount });
    await buyer.page.reload();
    await buyer.isTold('CANCELLING');
    await passesAxe(buyer.page, 'cancelling');
    await simulator.approveCancellation(orderId);
    await buyer.isTold('PARTIAL_CANCELLED');
    await passesAxe(buyer.page, 'partly cancelled');
  });
}

story('axe finds nothing serious where the deadline of an account has passed', PHONE, async (buyer) => {
  await orderByAccount(buyer);
  const { virtualAccount } = await buyer.orderNow();
  await buyer.page.clock.setFixedTime(Date.parse(virtualAccount.expiresAt) + 60_000);
  await buyer.isTold('ACCOUNT_OVERDUE');
  await passesAxe(buyer.page, 'account overdue');
});

story('at 320 px a sold-out line and an account have not to be scrolled sideways', { ...PHONE, viewport: { width: 320, height: 640 } }, async (buyer) => {
  const fits = () => buyer.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);
  await buyer.choose(['jeju-green-tea']);
  await buyer.fillIn(ACCOUNT);
  const line = buyer.at('#summary-lines [data-product=jeju-green-tea]');
  await line.locator('input').fill('999');
  await buyer.at('#pay').click();
  await line.locator('.fault', { hasText: '부족' }).waitFor();
  assert.ok(await fits(), 'sold out');
  await line.locator('input').fill('1');
  await buyer.at('#pay').click();
  await buyer.window('issue').click();
  await buyer.isTold('VIRTUAL_ACCOUNT_ISSUED');
  assert.ok(await fits(), 'account');
});
