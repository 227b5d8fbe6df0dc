/** Giving money back at the console: once, whatever is pressed and whatever is lost. */
import assert from 'node:assert/strict';
import { Clerk, givenBack, paid, placed } from '../clerk.mjs';
import { DESKTOP, PHONE, eventually, story } from '../buyer.mjs';
import { simulator } from '../simulator.mjs';

/** Every request for money that the page sent, `{key, body}`. */
function cancels(buyer) {
  const sent = [];
  buyer.context.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/cancel')) sent.push({ key: request.headers()['idempotency-key'], body: request.postDataJSON() });
  });
  return sent;
}

async function at(buyer, orderId) {
  const clerk = new Clerk(buyer);
  await clerk.order(orderId);
  return clerk;
}

story('all that is left is given back after one question, with its reason', DESKTOP, async (buyer) => {
  const { orderId, total } = await paid();
  const clerk = await at(buyer, orderId);
  await clerk.wants();
  assert.equal(await clerk.at('#confirm-title').innerText(), `${total.toLocaleString()}원을 돌려줄까요?`);
  assert.match(await clerk.at('#confirm-text').innerText(), new RegExp(`${orderId}[^]*고객 변심`));
  await clerk.at('#confirm-yes').click();
  await clerk.hasStatus('취소됨');
  await clerk.at('#status.toast').filter({ hasText: '돌려주었습니다' }).waitFor();
  assert.deepEqual(await clerk.ledger(), [[`${total.toLocaleString()}원`, 'SUCCEEDED']]);
  assert.equal(await clerk.at('#cancel').isHidden(), true, 'nothing is left to give back');
  assert.deepEqual(await givenBack(orderId), { count: 1, amount: total });
});

story('a part is given back, and the next one has a key of its own', PHONE, async (buyer) => {
  const { orderId } = await paid();
  const sent = cancels(buyer);
  const clerk = await at(buyer, orderId);
  await clerk.cancels({ amount: '1,000원' });
  await clerk.hasStatus('부분 취소');
  await clerk.cancels({ amount: 2000, reason: '한 개 파손' });
  await clerk.at('#ledger [data-number="2"]').waitFor();
  assert.deepEqual(await givenBack(orderId), { count: 2, amount: 3000 });
  assert.deepEqual(sent.map(({ body }) => body), [{ reason: '고객 변심', amount: 1000 }, { reason: '한 개 파손', amount: 2000 }]);
  assert.notEqual(sent[0].key, sent[1].key);
});

story('whoever presses no, or asks for too much, moves nothing', DESKTOP, async (buyer) => {
  const { orderId, total } = await paid();
  const sent = cancels(buyer);
  const clerk = await at(buyer, orderId);
  for (const [amount, fault] of [[total + 1, '남은 금액'], [0, '1 이상'], ['', '1 이상'], ['-5', '1 이상'], ['10.5', '1 이상'], ['만 원', '1 이상']]) {
    await clerk.wants({ amount });
    assert.match(await clerk.at('#amount-fault').innerText(), new RegExp(fault), `${amount}`);
    assert.equal(await clerk.page.evaluate(() => document.activeElement.id), 'amount');
  }
  await clerk.wants({ amount: 500, reason: ' ' });
  assert.match(await clerk.at('#reason-fault').innerText(), /사유/);
  await clerk.wants({ amount: 500 });
  await clerk.at('#confirm-no').click();
  await clerk.wants({ amount: 500 });
  await clerk.page.keyboard.press('Escape');
  await clerk.at('#confirm').waitFor({ state: 'hidden' });
  assert.deepEqual(sent, []);
});

story('a double click is one cancellation', DESKTOP, async (buyer) => {
  const { orderId } = await paid();
  const clerk = await at(buyer, orderId);
  await clerk.wants({ amount: 1000 });
  // Faster than any hand, and once more than the page can have drawn.
  await clerk.at('#confirm-yes').evaluate((button) => {
    button.click();
    button.click();
    document.querySelector('#cancel-form').requestSubmit();
    document.querySelector('#cancel-again').click();
  });
  await clerk.hasStatus('부분 취소');
  assert.deepEqual(await givenBack(orderId), { count: 1, amount: 1000 });
});

story('a lost answer is found in the ledger, and the form starts anew', DESKTOP, async (buyer) => {
  const { orderId } = await paid();
  await buyer.context.route('**/cancel', async (route) => {
    await route.fetch();
    await route.abort();
  });
  const clerk = await at(buyer, orderId);
  await clerk.cancels({ amount: 1000 });
  await clerk.hasStatus('부분 취소');
  await clerk.at('#status').filter({ hasText: '1,000원을 돌려주었습니다' }).waitFor();
  assert.equal(await clerk.at('#cancel-again').isHidden(), true);
  assert.deepEqual(await givenBack(orderId), { count: 1, amount: 1000 });
});

story('where no answer comes at all, the same cancellation is sent again and happens once', DESKTOP, async (buyer) => {
  const { orderId } = await paid();
  const sent = cancels(buyer);
  await buyer.context.route('**/cancel', async (route) => {
    await route.fetch();
    await route.abort();
  });
  const clerk = await at(buyer, orderId);
  await buyer.context.route('**/journal', (route) => route.abort());
  await clerk.cancels({ amount: 1000 });
  await clerk.at('#cancel-trouble').filter({ hasText: '두 번 나가지 않습니다' }).waitFor();
  assert.equal(await clerk.at('#amount').isDisabled(), true, 'it is the same cancellation or none');

  await buyer.context.unroute('**/cancel');
  await buyer.context.unroute('**/journal');
  await clerk.at('#cancel-again').click();
  await clerk.hasStatus('부분 취소');
  await clerk.at('#cancel-send').waitFor();
  assert.equal(sent.length, 2);
  assert.deepEqual(sent[0], sent[1]);
  assert.deepEqual(await givenBack(orderId), { count: 1, amount: 1000 });
});

story('a key without an answer outlives the page: another amount under it moves nothing a second time', DESKTOP, async (buyer) => {
  const { orderId } = await paid();
  const sent = cancels(buyer);
  let arrives;
  await buyer.context.route('**/cancel', async (route) => {
    // It is on its way for longer than anybody waits.
    arrives = () => route.fetch();
    await route.abort();
  }, { times: 1 });
  const clerk = await at(buyer, orderId);
  await clerk.cancels({ amount: 1000 });
  await clerk.at('#cancel-again').waitFor();
  // Somebody else's look wrote the order in the meantime.
  await buyer.context.route('**/journal', async (route) => {
    const response = await route.fetch();
    const order = await response.json();
    await route.fulfill({ response, json: { ...order, version: order.version + 1 } });
  }, { times: 1 });
  await clerk.page.reload();
  await clerk.at('#cancel-notice').filter({ hasText: '답을 받지 못했습니다' }).waitFor();
  await clerk.wants({ amount: 700 });
  await arrives();
  await clerk.at('#confirm-yes').click();
  await clerk.at('#cancel-trouble').filter({ hasText: '그사이 바뀌었습니다' }).waitFor();
  assert.equal(sent[0].key, sent[1].key);
  assert.deepEqual(await givenBack(orderId), { count: 1, amount: 1000 });
  assert.deepEqual(await clerk.ledger(), [['1,000원', 'SUCCEEDED']]);
});

story('where the outcome is known by the time the ledger is read, that is what is told', DESKTOP, async (buyer) => {
  const { orderId } = await paid();
  await buyer.context.route('**/cancel', async (route) => {
    const response = await route.fetch();
    const view = await response.json();
    await route.fulfill({ response, status: 202, json: { ...view, cancellation: { ...view.cancellation, status: 'UNKNOWN' } } });
  });
  const clerk = await at(buyer, orderId);
  await clerk.cancels({ amount: 1000 });
  await clerk.at('#status.toast').filter({ hasText: '1,000원을 돌려주었습니다' }).waitFor();
  assert.equal(await clerk.at('#cancel-trouble').innerText(), '');
});

story('two operators who look at the same order cannot both give back', DESKTOP, async (buyer) => {
  const { orderId } = await paid();
  const one = await at(buyer, orderId);
  const other = await at(buyer, orderId);
  await one.cancels({ amount: 1000 });
  await one.hasStatus('부분 취소');
  await other.cancels({ amount: 1000 });
  await other.hasStatus('부분 취소');
  assert.deepEqual(await givenBack(orderId), { count: 1, amount: 1000 });
});

story('a refused cancellation says so with the PG’s code and words, and can be tried again', DESKTOP, async (buyer) => {
  const { orderId } = await paid({ spec: { cancelMode: 'REFUSE_BY_PG' } });
  const sent = cancels(buyer);
  const clerk = await at(buyer, orderId);
  await clerk.cancels({ amount: 1000 });
  await clerk.at('#cancel-trouble').filter({ hasText: '거절되었습니다. 돈은 나가지 않았습니다. PG사·포트원의 답: REFUSED · PG사가 취소를 거절했습니다.' }).waitFor();
  assert.match(await clerk.at('#ledger').innerText(), /거절됨[^]*REFUSED · PG사가 취소를 거절했습니다\./);
  assert.deepEqual(await givenBack(orderId), { count: 0, amount: 0 });

  await simulator.cancelMode(orderId, 'SYNC');
  await clerk.at('#cancel-send').click();
  await clerk.at('#confirm-yes').click();
  await clerk.hasStatus('부분 취소');
  assert.notEqual(sent[0].key, sent[1].key);
  assert.deepEqual(await givenBack(orderId), { count: 1, amount: 1000 });
});

story('what the PG has not decided is under way, and what nobody answered is loud until it is known', DESKTOP, async (buyer) => {
  const { orderId } = await paid({ spec: { cancelMode: 'ASYNC' } });
  const clerk = await at(buyer, orderId);
  await clerk.cancels({ amount: 1000 });
  await clerk.at('#ledger [data-status=REQUESTED]').waitFor();
  assert.match(await clerk.at('#money .under-way').innerText(), /돌려주는 중\s*1,000원/);

  // Its webhook goes nowhere, or the ledger knows at once.
  const { orderId: other } = await paid({ spec: { cancelMode: 'EFFECT_THEN_DROP', noticeUrls: ['http://127.0.0.1:9/'] } });
  await clerk.order(other);
  await clerk.cancels({ amount: 1000 });
  await clerk.at('#ledger [data-status=UNKNOWN]').waitFor();
  await clerk.at('#alarms').filter({ hasText: '결과를 모르는 취소' }).waitFor();
  assert.equal(await clerk.at('#cancel-send').isDisabled(), true, 'another one has to wait');
  await simulator.cancelMode(other, 'SYNC');
  await clerk.at('#sync').click();
  await clerk.hasStatus('부분 취소');
  assert.equal(await clerk.at('#alarms').innerText(), '');
  assert.deepEqual(await givenBack(other), { count: 1, amount: 1000 });
});

for (const sdk of ['v2', 'v1']) {
  story(`a deposit goes back to an account only (${sdk})`, PHONE, async (buyer) => {
    const spec = sdk === 'v1' ? { version: 'V1', transactionId: `imp_${String(Date.now()).padStart(12, '0')}` } : {};
    const { orderId, total } = await paid({ payMethod: 'VIRTUAL_ACCOUNT', sdk, spec });
    const clerk = await at(buyer, orderId);
    await clerk.wants();
    assert.match(await clerk.at('#account-fault').innerText(), /은행, 계좌번호, 예금주/);
    // V1 takes the PG's own code of the bank.
    await clerk.cancels({ account: { bank: sdk === 'v1' ? '088' : 'SHINHAN', number: '110-123-456789', holder: '홍길동' } });
    await clerk.hasStatus('취소됨');
    assert.deepEqual(await givenBack(orderId), { count: 1, amount: total });
    assert.equal(await clerk.at('#account-number').inputValue(), '', 'nothing of the account stays on the page');
    assert.ok(!(await clerk.page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))).includes('123456789'), 'nor in the browser');
  });
}

story('an order nobody paid is closed', DESKTOP, async (buyer) => {
  const { orderId } = await placed();
  const clerk = await at(buyer, orderId);
  assert.equal(await clerk.at('#cancel-whole').isHidden(), true);
  await clerk.cancels({ reason: '품절' });
  await clerk.hasStatus('취소됨');
  assert.equal(await clerk.at('#cancel').isHidden(), true);
  await eventually(() => clerk.at('#status').textContent(), (said) => said.includes('닫았습니다'));
});
