/** What can go wrong before and around a payment, told in words that say what to do next. */
import assert from 'node:assert/strict';
import { DESKTOP, PHONE, story } from '../buyer.mjs';

story('empty fields are listed, announced, linked and marked', PHONE, async (buyer) => {
  await buyer.choose();
  await buyer.at('#bar a').click();
  await buyer.at('#pay').click();

  const summary = buyer.at('#faults');
  await summary.waitFor();
  assert.equal(await summary.getAttribute('role'), 'alert');
  assert.equal(await buyer.page.evaluate(() => document.activeElement.id), 'faults');
  assert.equal(await summary.locator('a').count(), 3);

  await summary.locator('a').nth(1).click();
  assert.equal(await buyer.page.evaluate(() => document.activeElement.id), 'email');
  assert.equal(await buyer.at('#email').getAttribute('aria-invalid'), 'true');
  const described = (await buyer.at('#email').getAttribute('aria-describedby')).split(' ');
  assert.ok(described.includes('email-fault'));
  assert.notEqual(await buyer.at('#email-fault').innerText(), '');
  assert.equal(buyer.posts('/orders').length, 0);

  // What is being mended is no longer held against the buyer.
  await buyer.page.keyboard.type('b');
  assert.equal(await buyer.at('#email-fault').innerText(), '');
  assert.equal(await summary.locator('a').count(), 2);
  assert.equal(await buyer.page.evaluate(() => document.activeElement.id), 'email');
});

story('what the API refuses is placed at its field, in the language of the page', DESKTOP, async (buyer) => {
  await buyer.choose();
  await buyer.fillIn({ email: 'not-an-address', phone: '1' });
  await buyer.at('#pay').click();
  await buyer.at('#faults').waitFor();
  assert.equal(buyer.posts('/orders')[0].status, 422);
  assert.match(await buyer.at('#email-fault').innerText(), /[가-힣]/);
  assert.match(await buyer.at('#phone-fault').innerText(), /[가-힣]/);
  assert.equal(await buyer.at('#name-fault').innerText(), '');

  await buyer.at('#language').click();
  await buyer.at('#pay').click();
  await buyer.at('#faults').waitFor();
  assert.doesNotMatch(await buyer.at('#email-fault').innerText(), /[가-힣]/);

  await buyer.at('#email').fill('buyer@example.com');
  await buyer.at('#phone').fill('01012345678');
  await buyer.at('#pay').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
});

story('offline nothing is ordered, and the next press works', DESKTOP, async (buyer) => {
  await buyer.choose();
  await buyer.fillIn();
  // The window's script is fetched ahead of time; losing the network after that must not look like an order.
  await buyer.page.waitForFunction(() => window.PortOne);
  await buyer.context.setOffline(true);
  await buyer.at('#pay').click();
  await buyer.at('#order-trouble').filter({ hasText: '인터넷' }).waitFor();
  await buyer.context.setOffline(false);
  await buyer.at('#pay').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
});

story('a blocked payment script is told before anything is ordered', DESKTOP, async (buyer) => {
  await buyer.context.route('**/browser-sdk.js', (route) => route.abort());
  await buyer.choose();
  await buyer.fillIn();
  await buyer.at('#pay').click();
  await buyer.at('#order-trouble').filter({ hasText: '결제창' }).waitFor();
  assert.equal(buyer.posts('/orders').length, 0);

  await buyer.context.unroute('**/browser-sdk.js');
  await buyer.at('#pay').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
});

story('a shop that stays busy says so, and that pressing again does not order twice', DESKTOP, async (buyer) => {
  const keys = [];
  await buyer.context.route('**/orders', (route) => {
    keys.push(route.request().headers()['idempotency-key']);
    return route.fulfill({ status: 429, headers: { 'Retry-After': '600' }, contentType: 'application/problem+json', json: { code: 'too-many-requests', status: 429, retryable: true } });
  });
  await buyer.choose();
  await buyer.fillIn();
  await buyer.at('#pay').click();
  await buyer.at('#order-trouble').filter({ hasText: '두 번' }).waitFor();
  assert.equal(keys.length, 1, 'ten minutes are not waited for behind a button');

  await buyer.context.unroute('**/orders');
  await buyer.at('#pay').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  assert.equal(buyer.posts('/orders').at(-1).key, keys[0]);
});

story('a price that changed meanwhile is shown before the window opens', DESKTOP, async (buyer) => {
  // The page that was opened yesterday.
  await buyer.context.route('**/products', async (route) => {
    const response = await route.fetch();
    const { products } = await response.json();
    await route.fulfill({ response, json: { products: products.map((product) => ({ ...product, price: product.price - 100 })) } });
  }, { times: 1 });
  await buyer.page.reload();
  await buyer.choose(['sticker']);
  await buyer.fillIn();
  const before = await buyer.at('#summary-total').innerText();
  await buyer.at('#pay').click();
  await buyer.at('#order-trouble').filter({ hasText: '가격이 바뀌었어요' }).waitFor();
  assert.notEqual(await buyer.at('#summary-total').innerText(), before);
  assert.equal(await buyer.page.locator('iframe').count(), 0);

  await buyer.at('#pay').click();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
});

story('products that cannot be loaded can be asked for again', PHONE, async (buyer) => {
  await buyer.context.route('**/products', (route) => route.fulfill({ status: 400, json: {} }), { times: 1 });
  await buyer.page.reload();
  await buyer.at('#products-again').click();
  await buyer.at('.product').first().waitFor();
  assert.equal(await buyer.at('#products-trouble').innerText(), '');
});

story('a payment system that cannot be asked now leaves the buyer with a way to check again', DESKTOP, async (buyer) => {
  let down = false;
  const answer = (route) => (down
    ? route.fulfill({ status: 503, headers: { 'Retry-After': '600' }, contentType: 'application/problem+json', json: { code: 'unavailable', status: 503, retryable: true } })
    : route.continue());
  await buyer.context.route('**/payments/verify', answer);
  await buyer.context.route('**/orders/*', answer);
  await buyer.order();
  down = true;
  await buyer.window('decline').click();
  await buyer.isTold('UNREACHABLE');
  assert.equal(await buyer.at('#pay-again').isHidden(), true, 'who does not know the result is not asked to pay');
  down = false;
  await buyer.at('#check-again').click();
  await buyer.isTold('DECLINED');
});
