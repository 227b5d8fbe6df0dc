/** Finding an order at the console, what it tells of it, and the findings. */
import assert from 'node:assert/strict';
import { Clerk, paid, placed, reported } from '../clerk.mjs';
import { DESKTOP, PHONE, eventually, story } from '../buyer.mjs';
import { simulator } from '../simulator.mjs';

story('an order is found by its id, the PG’s id, PortOne’s id and imp_uid, however it is typed', DESKTOP, async (buyer) => {
  const v2 = await paid();
  const v1 = await paid({ sdk: 'v1', spec: { version: 'V1', transactionId: `imp_${String(Date.now()).padStart(12, '0')}` } });
  const clerk = await new Clerk(buyer).open();
  const queries = [
    [v2, v2.orderId], [v2, ` ${v2.orderId.toLowerCase()} `], [v2, v2.payment.pgTxId], [v2, v2.payment.transactionId], [v1, v1.payment.transactionId],
  ];
  for (const [{ orderId }, query] of queries) {
    await clerk.go('#/orders');
    await clerk.at('#query').fill(query);
    await clerk.page.keyboard.press('Enter');
    await clerk.isShown(orderId);
    assert.equal(new URL(clerk.page.url()).hash, `#/orders/${orderId}`, query);
  }
  await clerk.go('#/orders?q=T-0000');
  await clerk.at('#found').filter({ hasText: '이 번호의 주문이 없습니다' }).waitFor();
  await clerk.go('#/orders?q=홍길동');
  await clerk.at('#search-trouble').filter({ hasText: 'ASCII 128자' }).waitFor();
});

story('the way back from an order is the search it came from, and a payment without an order is told as one', DESKTOP, async (buyer) => {
  const orphan = `orphan-${Date.now()}`;
  const { transactionId } = await simulator.put(orphan, { totalAmount: 7700 });
  const clerk = await new Clerk(buyer).open(`#/orders?q=${transactionId}`);
  await clerk.at('#found').filter({ hasText: orphan }).waitFor();
  const { orderId } = await placed();
  await clerk.at('#query').fill(orderId);
  await clerk.at('#search-form button').click();
  await clerk.isShown(orderId);
  await clerk.page.goBack();
  await clerk.at('#found').filter({ hasText: orphan }).waitFor();
});

story('the timeline tells who did what, and when in Korea', DESKTOP, async (buyer) => {
  const { orderId, payment } = await paid();
  const clerk = new Clerk(buyer);
  await clerk.order(orderId);
  await clerk.cancels({ amount: 1000 });
  await clerk.at('#journal li[data-version="4"]').waitFor();
  const entries = await clerk.at('#journal li').allInnerTexts();
  assert.equal(entries.length, 4);
  assert.match(entries[0], /구매자 페이지[^]*결제 전/);
  assert.match(entries[1], new RegExp(`구매자 페이지[^]*결제 전 → 결제 완료[^]*포트원: PAID ${payment.transactionId}`));
  assert.match(entries[2], /운영자 arn:aws:iam::\d+:user\/local[^]*취소 1번: 요청을 적어 둠/);
  assert.match(entries[3], /결제 완료 → 부분 취소[^]*취소 1번: 취소됨/);
  const korea = new Date(Date.now() + 9 * 3_600_000).toISOString().slice(0, 10);
  assert.ok(entries[3].includes(korea), entries[3]);
  assert.match(await clerk.at('#money').innerText(), /받은 금액\s*24,000원\s*돌려준 금액\s*−1,000원\s*남은 금액\s*23,000원/);
});

story('an order shows its dispute, and the money that a chargeback took', DESKTOP, async (buyer) => {
  const { orderId } = await paid();
  await simulator.dispute(orderId);
  const clerk = new Clerk(buyer);
  await clerk.order(orderId);
  await clerk.at('#sync').click();
  await clerk.at('#money').filter({ hasText: /이의 제기\s*\d{4}-\d\d-\d\d [\d:]+ 접수, 진행 중 dispute\d+/ }).waitFor();
  await clerk.at('#alarms').filter({ hasText: '확인할 일' }).waitFor();
  await simulator.resolveDispute(orderId);
  await clerk.at('#sync').click();
  await clerk.at('#money').filter({ hasText: /이의 제기\s*[^]* 접수, [^]* 종료/ }).waitFor();
  await simulator.chargeback(orderId);
  await clerk.at('#sync').click();
  await clerk.hasStatus('취소됨');
  assert.match(await clerk.at('#ledger li').innerText(), /차지백/);
});

story('reading from PortOne again pays an order whose webhook got lost', PHONE, async (buyer) => {
  const { orderId } = await paid({ isReported: false });
  const clerk = new Clerk(buyer);
  await clerk.order(orderId);
  await clerk.hasStatus('결제 전');
  await clerk.at('#sync').click();
  await clerk.hasStatus('결제 완료');
  await clerk.at('#status.toast').filter({ hasText: '다시 읽었습니다' }).waitFor();
});

story('money that is not the order’s is loud, and so are books that do not balance', DESKTOP, async (buyer) => {
  const { orderId } = await paid({ spec: { totalAmount: 11_000, cancelMode: 'REFUSE_BY_PG' } });
  const clerk = new Clerk(buyer);
  await clerk.order(orderId);
  await clerk.hasStatus('거절(환불)');
  assert.match(await clerk.at('#alarms').innerText(), /주문과 맞지 않는 돈이 들어왔습니다[^]*금액이 다름/);

  await buyer.context.route('**/journal', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), imbalances: ['ReceivedIsNotOrdered', 'SomethingNew'] } });
  });
  await clerk.page.reload();
  await clerk.at('#alarms').filter({ hasText: '받은 돈이 주문 금액과 다릅니다.' }).waitFor();
  assert.match(await clerk.at('#alarms').innerText(), /SomethingNew/);
});

story('from a finding to its order and back, until it is settled', DESKTOP, async (buyer) => {
  const { orderId, total } = await paid();
  // The payment's amount changes after it was paid.
  await simulator.put(orderId, { totalAmount: total + 1 });
  await reported({ paymentId: orderId });
  const clerk = await new Clerk(buyer).open('#/findings');
  const finding = clerk.at(`[data-finding="PAYMENT_CHANGED~${orderId}"]`);
  await finding.waitFor();
  assert.match(await finding.innerText(), /바뀌었습니다[^]*비교하고 포트원에 문의/);
  await finding.getByRole('link', { name: '주문 보기' }).click();
  await clerk.isShown(orderId);
  assert.match(await clerk.at('#alarms').innerText(), /확인할 일: 결제된 뒤 포트원의 금액이나 통화가 바뀌었습니다/);
  await clerk.at('#alarms a').click();
  await finding.waitFor();

  await finding.getByRole('button').click();
  await clerk.at('#confirm-no').click();
  await finding.waitFor();
  await finding.getByRole('button').click();
  await clerk.at('#confirm-yes').click();
  await finding.waitFor({ state: 'detached' });
  await clerk.order(orderId);
  assert.equal(await clerk.at('#alarms').innerText(), '');
});

story('findings come a page at a time, and one that settled itself meanwhile is no fault', DESKTOP, async (buyer) => {
  const pages = [['a', 'b'], ['c']].map((subjects, index) => ({
    findings: subjects.map((subject) => ({ id: `ORPHAN~${subject}`, kind: 'ORPHAN', subject, reason: '주문이 없는 결제가 포트원에 있습니다.', nextStep: '확인하세요.', facts: {}, firstSeenAt: '2026-11-23T00:00:00Z' })),
    next: index === 0 ? 'ORPHAN#b' : null,
  }));
  await buyer.context.route(/\/findings(\?|$)/, (route) => {
    const after = new URL(route.request().url()).searchParams.get('after');
    return route.fulfill({ json: pages[after === 'ORPHAN#b' ? 1 : 0] });
  });
  const clerk = await new Clerk(buyer).open('#/findings');
  await clerk.at('[data-finding="ORPHAN~b"]').waitFor();
  await clerk.at('#findings-next').click();
  await clerk.at('[data-finding="ORPHAN~c"]').waitFor();
  assert.equal(await clerk.at('.finding').count(), 3);
  assert.equal(await clerk.at('#findings-next').isHidden(), true);
  // The API knows none of these.
  await clerk.at('[data-finding="ORPHAN~a"] button').click();
  await clerk.at('#confirm-yes').click();
  await eventually(() => clerk.at('.finding').count(), (count) => count === 2);
  assert.equal(await clerk.at('#findings-trouble').innerText(), '');
});
