/** Everybody can buy: axe on each view, the keyboard alone, zoom, dark, and without motion. */
import assert from 'node:assert/strict';
import { DESKTOP, PHONE, story } from '../buyer.mjs';
import { passesAxe } from '../axe.mjs';
import { system } from '../system.mjs';

const devices = { 'at 390 px': PHONE, 'at 1280 px': DESKTOP, 'at 390 px in the dark': { ...PHONE, colorScheme: 'dark' } };

for (const [where, device] of Object.entries(devices)) {
  story(`axe finds nothing serious from the products to the receipt ${where}`, device, async (buyer) => {
    await buyer.choose();
    await passesAxe(buyer.page, 'products');
    await buyer.at('#bar a').click();
    await buyer.at('#pay').click();
    await buyer.at('#faults').waitFor();
    await passesAxe(buyer.page, 'form with faults');
    await buyer.page.goBack();
    await buyer.fillIn();
    await passesAxe(buyer.page, 'form');
    await buyer.at('#pay').click();
    await buyer.window('pay').waitFor();
    await passesAxe(buyer.page, 'payment window');
    await buyer.window('pay').click();
    await buyer.isTold('PAID');
    await passesAxe(buyer.page, 'receipt');
  });
}

for (const [where, device] of Object.entries(devices)) {
  story(`axe finds nothing serious in the result of each order status ${where}, and each has its words`, device, async (buyer) => {
    const orderId = await buyer.order();
    const order = await buyer.orderNow();
    const account = { bank: 'SHINHAN', accountNumber: '56213412345678', holder: '느티상점', expiresAt: order.expiresAt };
    let shown;
    await buyer.context.route('**/payments/verify', (route) => route.fulfill({ json: shown }));
    await buyer.context.route('**/orders/*', (route) => route.fulfill({ json: shown }));

    const statuses = ['PENDING', 'PAY_PENDING', 'VIRTUAL_ACCOUNT_ISSUED', 'PAID', 'PARTIAL_CANCELLED', 'CANCELLED', 'EXPIRED', 'REJECTED'];
    const titles = new Set();
    for (const status of statuses) {
      shown = { ...order, status, virtualAccount: status === 'VIRTUAL_ACCOUNT_ISSUED' ? account : undefined };
      if (status.endsWith('CANCELLED')) shown.amount = { ...order.amount, paid: order.amount.total, cancelled: 1000 };
      await buyer.page.goto(`${system.url}?paymentId=${orderId}&code=`);
      await buyer.at(`#receipt[data-status="${status}"]:not([data-outcome=""])`).waitFor();
      await passesAxe(buyer.page, status);
      titles.add(await buyer.at('#result-title').innerText());
    }
    assert.equal(titles.size, statuses.length);
  });
}

story('axe finds nothing serious on the console of the payment simulator', DESKTOP, async (buyer) => {
  await buyer.order();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  const [console_] = await Promise.all([buyer.context.waitForEvent('page'), buyer.at('#simulator-console').click()]);
  await console_.waitForLoadState();
  await console_.getByText((await buyer.orderId())).first().waitFor();
  await passesAxe(console_, 'console');
});

story('a whole purchase needs nothing but the keyboard, and focus is always seen', DESKTOP, async (buyer) => {
  const { page } = buyer;
  await buyer.at('.product').first().waitFor();
  const press = (key) => page.keyboard.press(key);
  // Tab from wherever the focus is until it is where it has to be; the buyer never touches a mouse.
  const tabTo = async (what) => {
    for (let tabs = 0; tabs < 60; tabs += 1) {
      await press('Tab');
      const here = await page.evaluate((selector) => {
        const active = document.activeElement;
        const box = active.getBoundingClientRect();
        const atTop = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        return { there: active.matches(selector), covered: active !== document.body && !(active.contains(atTop) || atTop?.contains(active)), name: active.outerHTML.slice(0, 80) };
      }, what);
      if (here.there) {
        assert.equal(here.covered, false, `covered by something else: ${here.name}`);
        return;
      }
    }
    assert.fail(`the keyboard does not reach ${what}`);
  };

  await tabTo('.add');
  await press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'more');
  await press('Enter');
  await tabTo('#bar a');
  await press('Enter');
  await page.waitForFunction(() => document.activeElement.id === 'order-title');
  await tabTo('#name');
  await page.keyboard.type('홍길동');
  await tabTo('#email');
  await page.keyboard.type('buyer@example.com');
  await tabTo('#phone');
  await page.keyboard.type('01012345678');
  await tabTo('[name=payMethod]');
  await press('ArrowDown');
  await press('ArrowUp');
  await tabTo('#pay');
  await press('Enter');

  await buyer.window('pay').waitFor();
  const frame = page.frames().find((other) => other !== page.mainFrame());
  for (let tabs = 0; tabs < 40; tabs += 1) {
    if (await frame.evaluate(() => document.activeElement?.dataset.action === 'pay')) break;
    await press('Tab');
  }
  await press('Enter');
  await buyer.isTold('PAID');
  await page.waitForFunction(() => document.activeElement.id === 'result-title');
});

story('news is said in the live region without taking the focus', DESKTOP, async (buyer) => {
  await buyer.order();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  assert.equal(await buyer.at('#status').getAttribute('role'), 'status');
  assert.match(await buyer.at('#status').textContent(), /결제 완료/);
});

story('at 320 px, which is 1280 at 400 % zoom, nothing has to be scrolled sideways', { viewport: { width: 320, height: 640 } }, async (buyer) => {
  const fits = () => buyer.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);
  await buyer.choose();
  assert.ok(await fits(), 'products');
  await buyer.at('#bar a').click();
  await buyer.at('#pay').click();
  await buyer.at('#faults').waitFor();
  assert.ok(await fits(), 'form');
});

story('who asks for less motion gets none', { ...DESKTOP, reducedMotion: 'reduce' }, async (buyer) => {
  await buyer.order();
  await buyer.context.route('**/orders/*', (route) => route.abort());
  await buyer.context.route('**/payments/verify', () => {});
  await buyer.window('pay').click();
  await buyer.isTold('CHECKING');
  assert.equal(await buyer.page.evaluate(() => document.getAnimations().length), 0);
});
