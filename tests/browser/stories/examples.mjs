/** The pages of examples: each pays, each is usable, and none takes text for HTML. */
import assert from 'node:assert/strict';
import { DESKTOP, PHONE, story } from '../buyer.mjs';
import { passesAxe } from '../axe.mjs';
import { simulator } from '../simulator.mjs';

const EXAMPLES = ['plain', 'react', 'vue'];

const DEVICES = { 'at 390 px': PHONE, 'at 1280 px': DESKTOP, 'at 1280 px in the dark': { ...DESKTOP, colorScheme: 'dark' } };

async function fillIn(buyer, example, { payMethod = 'CARD', sdk = 'v2' } = {}) {
  await buyer.open(`checkout/examples/${example}.html`);
  await buyer.at('[name=product] option').first().waitFor({ state: 'attached' });
  await buyer.at('[name=product]').selectOption('sticker');
  await buyer.at('[name=name]').fill('홍길동');
  await buyer.at('[name=email]').fill('buyer@example.com');
  await buyer.at('[name=phone]').fill('01012345678');
  await buyer.at('[name=payMethod]').selectOption(payMethod);
  await buyer.at('[name=sdk]').selectOption(sdk);
}

const isTold = (buyer, outcome) => buyer.at(`.result[data-outcome="${outcome}"]`).waitFor();

const press = (buyer) => buyer.at('form button').click();

for (const example of EXAMPLES) {
  for (const [where, device] of Object.entries(DEVICES)) {
    story(`the ${example} example is declined, pays the same order again, and passes axe ${where}`, device, async (buyer) => {
      await fillIn(buyer, example);
      await passesAxe(buyer.page, `example ${example} form`);
      await press(buyer);
      await buyer.window('decline').click();
      await isTold(buyer, 'DECLINED');
      await passesAxe(buyer.page, `example ${example} declined`);
      const orderId = await buyer.at('.result .order').innerText();
      if (buyer.onPhone) {
        // The page has gone and come back, and asks for what it does not keep.
        assert.equal(new URL(buyer.page.url()).search, '');
        for (const [name, text] of Object.entries({ name: '홍길동', email: 'buyer@example.com', phone: '01012345678' })) await buyer.at(`[name=${name}]`).fill(text);
        await buyer.at('[name=product]').selectOption('sticker');
      }
      await buyer.at('.again').click();
      await buyer.window('pay').click();
      await isTold(buyer, 'PAID');
      assert.equal(await buyer.at('.result .order').innerText(), orderId);
      await passesAxe(buyer.page, `example ${example} paid`);
    });
  }

  story(`the ${example} example shows a virtual account, and the deposit turns it`, DESKTOP, async (buyer) => {
    await fillIn(buyer, example, { payMethod: 'VIRTUAL_ACCOUNT' });
    await press(buyer);
    await buyer.window('issue').click();
    await isTold(buyer, 'VIRTUAL_ACCOUNT_ISSUED');
    assert.match(await buyer.at('.account dd').innerText(), /\d{6}/);
    await passesAxe(buyer.page, `example ${example} account`);
    await simulator.deposit(await buyer.at('.result .order').innerText());
    await isTold(buyer, 'PAID');
  });

  story(`the ${example} example pays through V1`, DESKTOP, async (buyer) => {
    await fillIn(buyer, example, { sdk: 'v1' });
    await press(buyer);
    await buyer.window('pay').click();
    await isTold(buyer, 'PAID');
  });

  story(`the ${example} example shows markup in answers as the text it is`, DESKTOP, async (buyer) => {
    const evil = '<img src=x onerror="window.hurt=1"><b>x</b>';
    await buyer.context.route('**/products', (route) => route.fulfill({ json: { products: [{ productId: 'sticker', name: evil, price: 1000, currency: 'KRW', available: true }] } }));
    await buyer.context.route('**/orders', (route) => route.fulfill({ status: 422, contentType: 'application/problem+json', json: { code: 'validation-failed', status: 422, errors: [{ pointer: '/items', code: 'x', detail: evil }] } }));
    await fillIn(buyer, example);
    await press(buyer);
    await buyer.at('.trouble', { hasText: '<img' }).waitFor();
    await buyer.context.unroute('**/orders');
    await buyer.page.evaluate((message) => { window.PortOne = { requestPayment: async ({ paymentId }) => ({ paymentId, code: 'X', message }) }; }, evil);
    await press(buyer);
    await buyer.at('.failure', { hasText: '<img' }).waitFor();
    assert.equal(await buyer.page.locator('main img, main b').count(), 0);
    assert.equal(await buyer.page.evaluate(() => window.hurt), undefined);
  });
}

for (const [where, device] of Object.entries(DEVICES)) {
  story(`the list of examples leads to each and passes axe ${where}`, device, async (buyer) => {
    await buyer.open('checkout/examples/');
    await passesAxe(buyer.page, 'examples');
    assert.ok(await buyer.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
    for (const example of EXAMPLES) {
      const [response] = await Promise.all([buyer.page.waitForResponse(`**/${example}.html`), buyer.at(`.cards a[href="${example}.html"]`).click()]);
      assert.equal(response.status(), 200);
      await buyer.at('form').waitFor();
      await buyer.page.goBack();
    }
  });
}
