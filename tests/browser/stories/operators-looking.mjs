/** The daily totals, and that everybody can work at the console: both languages, the keyboard alone, axe, small and dark. */
import assert from 'node:assert/strict';
import aws4 from 'aws4';
import { passesAxe } from '../axe.mjs';
import { Clerk, paid, placed, reported } from '../clerk.mjs';
import { DESKTOP, PHONE, story } from '../buyer.mjs';
import { simulator } from '../simulator.mjs';
import { system } from '../system.mjs';

const day = (back) => new Date(Date.now() + 9 * 3_600_000 - back * 86_400_000).toISOString().slice(0, 10);

/** Writes what days came to as the daily statement does. */
async function count(days) {
  const table = new URL(system.url);
  table.port = Number(table.port) + 2;
  const moved = ([times, amount]) => ({ M: { count: { N: String(times) }, amount: { N: String(amount) } } });
  for (const { day: SK, unreadable = 0, sums } of days) {
    const currencies = Object.entries(sums).map(([currency, kinds]) => [currency, { M: Object.fromEntries(Object.entries(kinds).map(([kind, both]) => [kind, moved(both)])) }]);
    const Item = { PK: { S: 'DAYS' }, SK: { S: SK }, countedAt: { N: '1' }, isFinal: { BOOL: true }, unreadable: { N: String(unreadable) }, sums: { M: Object.fromEntries(currencies) } };
    const request = { host: table.host, path: '/', method: 'POST', service: 'dynamodb', region: 'ap-northeast-2', body: JSON.stringify({ TableName: 'orders', Item }) };
    request.headers = { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': 'DynamoDB_20120810.PutItem' };
    const { headers, body } = aws4.sign(request, { accessKeyId: 'local', secretAccessKey: 'local' });
    const response = await fetch(table, { method: 'POST', headers, body });
    if (!response.ok) throw new Error(await response.text());
  }
}

/** The days that every story here may count on: a month, less one day that was not counted. */
const month = Array.from({ length: 31 }, (_, index) => index + 1).filter((back) => back !== 9);
let writing;
const counted = () => (writing ??= count(month.map((back) => ({
  day: day(back),
  sums: {
    KRW: { payments: [back, back * 130_000], cancellations: back % 4 === 0 ? [1, -90_000] : [0, 0], returns: [back % 7 === 0 ? 1 : 0, back % 7 === 0 ? -12_000 : 0] },
    ...(back === 3 && { USD: { payments: [1, 1550], cancellations: [0, 0], returns: [0, 0] } }),
  },
}))));

story('the chart and the table show what the statements counted, and which day was not', DESKTOP, async (buyer) => {
  await counted();
  const clerk = await new Clerk(buyer).open('#/days');
  await clerk.at('#chart svg').waitFor();
  const drawn = await clerk.at('#chart [data-day]').evaluateAll((days) => days.map(({ dataset }) => ({ ...dataset })));
  assert.equal(drawn.length, 31);
  for (const back of month) {
    const { in: came, back: went } = drawn.find((it) => it.day === day(back));
    assert.deepEqual([came, went], [String(back * 130_000), String((back % 4 === 0 ? 90_000 : 0) + (back % 7 === 0 ? 12_000 : 0))], day(back));
  }
  assert.deepEqual(drawn.find((it) => it.day === day(9)), { day: day(9) });
  assert.equal(await clerk.at(`#days-table [data-day="${day(9)}"]`).innerText(), `${day(9)}\t집계 없음`);
  // Its heights are in proportion: the tallest day is as often as tall as it came to more.
  const height = (back) => clerk.at(`#chart [data-day="${day(back)}"] .in`).evaluate((bar) => bar.height.baseVal.value);
  assert.ok(Math.abs((await height(30)) / (await height(10)) - 3) < 0.01);

  const rows = await clerk.at('#days-table tbody tr').evaluateAll((all) => all.map((row) => [row.dataset.day, row.cells[1].firstChild.textContent]));
  assert.deepEqual(rows[0], [day(1), '130,000']);
  assert.equal(rows.length, 31);
  const sum = month.reduce((all, back) => all + back, 0) * 130_000;
  assert.ok((await clerk.at('#days-table tfoot').innerText()).includes(sum.toLocaleString()));
  assert.ok((await clerk.at('#chart-caption').innerText()).includes(`${sum.toLocaleString()}원`));

  await clerk.at('#currency').selectOption('USD');
  assert.match(await clerk.at('#days-table tfoot').innerText(), /15\.50/);
  assert.equal(await clerk.at('#chart .in').count(), 1);
});

story('the days are chosen by whoever looks, and more than a quarter is too much', PHONE, async (buyer) => {
  await counted();
  const clerk = await new Clerk(buyer).open('#/days');
  await clerk.at('#chart svg').waitFor();
  await clerk.at('#from').fill(day(7));
  await clerk.at('#to').fill(day(5));
  await clerk.at('#days-form button').click();
  await clerk.page.waitForFunction(() => document.querySelectorAll('#days-table tbody tr').length === 3);
  await clerk.at('#from').fill(day(200));
  await clerk.at('#days-form button').click();
  await clerk.at('#days-trouble').filter({ hasText: '92일' }).waitFor();
  assert.equal(await clerk.at('#days-body').isHidden(), true, 'no old numbers under new dates');
});

/** One of everything that the console can show of an order. */
async function eventful() {
  const { orderId, total } = await paid({ productId: 'organic-rice', spec: { taxFreeAmount: 48_000, cancelMode: 'REFUSE_BY_PG' } });
  return { orderId, total };
}

const devices = { 'at 390 px': PHONE, 'at 1280 px': DESKTOP, 'at 390 px in the dark': { ...PHONE, colorScheme: 'dark' }, 'at 1280 px in the dark': { ...DESKTOP, colorScheme: 'dark' } };

for (const [where, device] of Object.entries(devices)) {
  story(`axe finds nothing serious in any view of the console ${where}`, device, async (buyer) => {
    await counted();
    const { orderId } = await eventful();
    const clerk = await new Clerk(buyer).open();
    await clerk.at('#search-form').waitFor();
    await passesAxe(clerk.page, 'console search');
    await clerk.go('#/orders?q=T-0000');
    await clerk.at('.empty').waitFor();
    await passesAxe(clerk.page, 'console nothing found');

    await clerk.go(`#/orders/${orderId}`);
    await clerk.isShown(orderId);
    await clerk.wants({ amount: 9_999_999, reason: '' });
    await passesAxe(clerk.page, 'console order with faults');
    await clerk.wants({ amount: 1000 });
    await passesAxe(clerk.page, 'console question');
    await clerk.at('#confirm-yes').click();
    await clerk.at('#ledger [data-status=FAILED]').waitFor();
    await simulator.cancelMode(orderId, 'SYNC');
    await clerk.cancels({ amount: 3000, reason: '한 봉지 파손' });
    await clerk.hasStatus('부분 취소');
    await passesAxe(clerk.page, 'console order');

    const { orderId: rejected } = await paid({ spec: { totalAmount: 11_000, cancelMode: 'EFFECT_THEN_DROP' } });
    await clerk.go(`#/orders/${rejected}`);
    await clerk.at('#alarms .alarm').first().waitFor();
    await passesAxe(clerk.page, 'console order with alarms');

    const { orderId: deposit } = await paid({ payMethod: 'VIRTUAL_ACCOUNT' });
    await clerk.go(`#/orders/${deposit}`);
    await clerk.isShown(deposit);
    await passesAxe(clerk.page, 'console deposit');

    await buyer.context.route('**/findings', (route) => route.fulfill({ json: { next: null, findings: [
      { id: `RETURN_REFUSED~${rejected}`, kind: 'RETURN_REFUSED', subject: rejected, reason: '돌려줘야 할 돈의 환불이 거듭 거절되었습니다.', nextStep: '주문 기록에서 사유를 보세요. 무통장입금은 환불 계좌를 적어 주문을 취소하고, 그 밖에는 PG사에 문의하세요.', facts: { refused: '3', balance: '11000 KRW' }, firstSeenAt: '2026-11-23T00:00:00Z' },
      { id: 'ORPHAN~p-1', kind: 'ORPHAN', subject: 'p-1', reason: '주문이 없는 결제가 포트원에 있습니다.', nextStep: '포트원 콘솔에서 결제를 확인하고, 주인이 없으면 그곳에서 취소하세요.', facts: { paymentId: 'p-1', total: '7700 KRW', transactionId: '01a2b3c4-d5e6-47f8-9a0b-1c2d3e4f5a6b' }, firstSeenAt: '2026-11-22T00:00:00Z' },
    ] } }));
    await clerk.go('#/findings');
    await clerk.at('.finding').first().waitFor();
    await passesAxe(clerk.page, 'console findings');
    await clerk.go('#/days');
    await clerk.at('#chart svg').waitFor();
    await passesAxe(clerk.page, 'console days');
    await clerk.at('#sign-out').click();
    await clerk.at('#sign-in-form').waitFor();
    await passesAxe(clerk.page, 'console sign in');
  });
}

story('money is given back by the keyboard alone, and focus is always seen', DESKTOP, async (buyer) => {
  const { orderId } = await paid();
  const clerk = await new Clerk(buyer).open();
  const { page } = clerk;
  await clerk.at('#search-form').waitFor();
  const press = (key) => page.keyboard.press(key);
  const tabTo = async (what) => {
    for (let tabs = 0; tabs < 60; tabs += 1) {
      await press('Tab');
      const here = await page.evaluate((selector) => {
        const active = document.activeElement;
        const box = active.getBoundingClientRect();
        const atTop = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        return { there: active.matches(selector), seen: active === document.body || active.contains(atTop) || Boolean(atTop?.contains(active)), outline: getComputedStyle(active).outlineStyle, name: active.outerHTML.slice(0, 80) };
      }, what);
      if (!here.there) continue;
      assert.ok(here.seen && here.outline !== 'none', `not seen: ${here.name}`);
      return;
    }
    assert.fail(`the keyboard does not reach ${what}`);
  };
  await tabTo('#query');
  await page.keyboard.type(orderId);
  await press('Enter');
  await clerk.isShown(orderId);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'order-title');
  await tabTo('[name=how]');
  await press('ArrowDown');
  await tabTo('#amount');
  await page.keyboard.type('1000');
  await tabTo('#reason');
  await page.keyboard.type('고객 변심');
  await press('Enter');
  await clerk.at('#confirm[open]').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'confirm-no', 'Enter twice moves no money');
  await tabTo('#confirm-yes');
  await press('Enter');
  await clerk.hasStatus('부분 취소');
});

story('in English nothing of the console is left in Korean but names, and it is remembered', DESKTOP, async (buyer) => {
  await counted();
  const { orderId, total } = await eventful();
  // With a finding, whose sentences are the API's.
  await simulator.put(orderId, { totalAmount: total + 1 });
  await reported({ paymentId: orderId });
  const { orderId: open } = await placed();
  const clerk = new Clerk(buyer);
  await clerk.order(orderId);
  const korean = () => clerk.page.evaluate(() => {
    const hangul = /[가-힣]/;
    return [...document.querySelectorAll('body *')].filter((element) => element.checkVisibility() && !element.closest('[lang=ko], noscript'))
      .flatMap((element) => [...[...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data), element.getAttribute('aria-label') ?? '', element.getAttribute('placeholder') ?? ''])
      .filter((text) => hangul.test(text));
  });
  await clerk.at('#language').click();
  await clerk.at('#alarms').filter({ hasText: 'changed after the order was paid' }).waitFor();
  assert.equal(await clerk.at('html').getAttribute('lang'), 'en');
  assert.deepEqual(await korean(), []);
  for (const id of [orderId, open]) {
    await clerk.go(`#/orders/${id}`);
    await clerk.isShown(id);
    await clerk.wants({ amount: id === orderId ? 9_999_999 : undefined, reason: id === orderId ? '' : 'sold out' });
    assert.deepEqual(await korean(), []);
    if (id === open) await clerk.at('#confirm-no').click();
  }
  for (const [hash, drawn] of [['#/findings', '.finding'], ['#/days', '#chart svg']]) {
    await clerk.go(hash);
    await clerk.at(drawn).first().waitFor();
    assert.deepEqual(await korean(), [], hash);
  }
  await clerk.page.reload();
  assert.equal(await clerk.at('html').getAttribute('lang'), 'en');
  await clerk.at('#sign-out').click();
  await clerk.at('#sign-in-form').waitFor();
  assert.deepEqual(await korean(), []);
  await clerk.at('#language').click();
  assert.match(await clerk.at('#sign-in-title').innerText(), /로그인/);
});

story('at 320 px, which is 1280 at 400 % zoom, nothing of the console has to be scrolled sideways', { viewport: { width: 320, height: 640 } }, async (buyer) => {
  await counted();
  const { orderId } = await eventful();
  const clerk = new Clerk(buyer);
  await clerk.order(orderId);
  await clerk.cancels({ amount: 1000 });
  await clerk.at('#ledger [data-status=FAILED]').waitFor();
  const fits = () => clerk.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);
  assert.ok(await fits(), 'order');
  for (const hash of ['#/orders', '#/findings', '#/days']) {
    await clerk.go(hash);
    await clerk.at(`#${{ '#/orders': 'search', '#/findings': 'findings', '#/days': 'days' }[hash]}-view:not([hidden])`).waitFor();
    assert.ok(await fits(), hash);
  }
});

story('the page loads and talks to nothing but its own system, and nobody frames it', DESKTOP, async (buyer) => {
  const { orderId } = await placed();
  const foreign = [];
  const clerk = new Clerk(buyer);
  buyer.context.on('request', (request) => {
    if (!request.url().startsWith(system.url) && !request.url().startsWith('data:')) foreign.push(request.url());
  });
  await clerk.order(orderId);
  assert.deepEqual(foreign, []);
  const page = await fetch(`${system.url}operator/`);
  assert.match(page.headers.get('content-security-policy'), /frame-ancestors 'none'/);
  const blocked = await clerk.page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.ran = true';
    document.head.append(script);
    return window.ran !== true;
  });
  assert.ok(blocked, 'no inline script runs');
  const moved = await fetch(`${system.url}operator`, { redirect: 'manual' });
  assert.deepEqual([moved.status, moved.headers.get('location')], [308, '/operator/']);
});
