/** Lost answers, closed tabs, double clicks: the order is one, and its buyer is told how it ended. */
import assert from 'node:assert/strict';
import { DESKTOP, PHONE, eventually, readOrder, story } from '../buyer.mjs';
import { simulator } from '../simulator.mjs';

story('a tab closed right after paying: the webhook alone finishes the order', DESKTOP, async (buyer) => {
  const orderId = await buyer.order();
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

story('a verify answer that gets lost is made up for by reading the order', DESKTOP, async (buyer) => {
  await buyer.context.route('**/payments/verify', async (route) => {
    await route.fetch();
    await route.abort();
  });
  await buyer.order();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  assert.ok(buyer.answers.some(({ method, path, status }) => method === 'GET' && path.startsWith('/orders/') && status === 200));
});

story('an order whose answer gets lost is asked for again with its key, and is one order', DESKTOP, async (buyer) => {
  const made = [];
  await buyer.context.route('**/orders', async (route) => {
    const response = await route.fetch();
    made.push({ key: route.request().headers()['idempotency-key'], order: await response.json(), replayed: response.headers()['idempotent-replayed'] });
    if (made.length === 1) await route.abort();
    else await route.fulfill({ response });
  });
  await buyer.order();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');

  assert.equal(made.length, 2);
  assert.equal(made[0].key, made[1].key);
  assert.equal(made[0].order.orderId, made[1].order.orderId);
  assert.equal(made[1].replayed, 'true');
});

story('a shop that is busy is asked again with the same key after the time it names', DESKTOP, async (buyer) => {
  const asked = [];
  await buyer.context.route('**/orders', async (route) => {
    asked.push({ key: route.request().headers()['idempotency-key'], at: Date.now() });
    if (asked.length > 1) return route.continue();
    return route.fulfill({ status: 503, headers: { 'Retry-After': '2' }, contentType: 'application/problem+json', json: { code: 'unavailable', status: 503, retryable: true } });
  });
  await buyer.order();
  assert.equal(asked[0].key, asked[1].key);
  assert.ok(asked[1].at - asked[0].at >= 2000);
});

story('two clicks on pay make one order', DESKTOP, async (buyer) => {
  await buyer.choose();
  await buyer.fillIn();
  await buyer.at('#pay').dblclick();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  assert.equal(buyer.posts('/orders').length, 1);
  assert.equal((await buyer.known()).length, 1);
});

story('a page reloaded while the window is open can pay the same order', DESKTOP, async (buyer) => {
  const orderId = await buyer.order();
  await buyer.page.reload();
  await buyer.isTold('UNPAID');
  await buyer.at('#pay-again').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  assert.equal(await buyer.orderId(), orderId);
});

story('a phone that goes back from the window without paying can pay the same order', PHONE, async (buyer) => {
  const orderId = await buyer.order();
  await buyer.page.goBack();
  await buyer.isTold('UNPAID');
  await buyer.at('#pay-again').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  assert.equal(await buyer.orderId(), orderId);
});

story('an order already paid elsewhere is not paid twice', DESKTOP, async (buyer) => {
  await buyer.order();
  await buyer.page.reload();
  await buyer.isTold('UNPAID');
  await simulator.pay(await buyer.orderId());
  // The page notices by itself, by the webhook.
  await buyer.isTold('PAID');
  assert.equal(await buyer.at('#pay-again').isHidden(), true);
});

story('an order is shown to nobody without its token', DESKTOP, async (buyer) => {
  await buyer.order();
  const [known] = await buyer.known();
  const wrong = await readOrder({ ...known, orderToken: `${known.orderToken.slice(0, -2)}xx` });
  const unknown = await readOrder({ orderId: '01JDABCDEFGHJKMNPQRSTVWXYZ', orderToken: known.orderToken });
  assert.equal(wrong.status, 404);
  assert.equal(unknown.status, 404);
  assert.equal(wrong.body.code, unknown.body.code);

  await buyer.open('?paymentId=01JDABCDEFGHJKMNPQRSTVWXYZ');
  await buyer.isTold('NOT_FOUND');
});

story('a link cannot put its own words on the page, except about an order of this browser', DESKTOP, async (buyer) => {
  const orderId = await buyer.order();
  await buyer.forgetAll();
  await buyer.open(`?paymentId=${orderId}&code=PGProviderError&message=${encodeURIComponent('전화 주세요')}`);
  await buyer.isTold('DECLINED');
  assert.equal(await buyer.at('#result-reason').isHidden(), true);
  assert.doesNotMatch(await buyer.at('main').innerText(), /전화 주세요/);
});

story('another browser that opens the return address learns the status and nothing more', DESKTOP, async (buyer) => {
  const orderId = await buyer.order();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  await buyer.forgetAll();
  await buyer.open(`?paymentId=${orderId}`);
  await buyer.isTold('PAID');
  assert.equal(await buyer.at('#result-lines li').count(), 0);
});

story('an order whose time to pay has passed is not paid any more, and the same things make a new one', DESKTOP, async (buyer) => {
  const orderId = await buyer.order();
  await buyer.window('decline').click();
  await buyer.isTold('DECLINED');

  await buyer.page.clock.setFixedTime(Date.now() + 31 * 60_000);
  await buyer.page.reload();
  await buyer.isTold('EXPIRED');
  assert.equal(await buyer.at('#pay-again').isHidden(), true);

  await buyer.at('#back-to-shop').click();
  await buyer.at('#bar a').click();
  await buyer.at('#pay').click();
  await buyer.window('pay').waitFor();
  assert.notEqual(await buyer.orderId(), orderId);
});

story('a window that vanishes without a word leaves a way to check and to pay', DESKTOP, async (buyer) => {
  const orderId = await buyer.order();
  await buyer.page.evaluate(() => document.querySelectorAll('dialog, iframe').forEach((gone) => gone.remove()));
  await buyer.at('#check-again').click();
  await buyer.isTold('UNPAID');
  await buyer.at('#pay-again').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  assert.equal(await buyer.orderId(), orderId);
});
