/** The result page: what the checkout tells of the order, in the buyer's words. */
import { announce, at, clone } from './dom.js';
import { bankName, deadline, moment, money, phrases, results, say } from './words.js';

const HANGUL = /[가-힣]/;

/** A cancellation that was asked for and is not decided: the PG's turn (REQUESTED), or no answer yet (UNKNOWN). */
const isUnderWay = ({ status }) => ['REQUESTED', 'UNKNOWN'].includes(status);

/** Outcomes that another look may change. */
const WAITING = ['OPEN', 'UNCONFIRMED', 'UNREACHABLE', 'UNRECOGNIZED', 'UNPAID', 'PAY_PENDING', 'VIRTUAL_ACCOUNT_ISSUED', 'ACCOUNT_OVERDUE', 'CANCELLING'];

/** What the page says of a result: `{tone, mark, title, text}`. */
export function wordsOf({ outcome, order }) {
  const unpaid = outcome === 'CANCELLED' && order.amount?.paid === 0;
  return results[unpaid ? 'CANCELLED_UNPAID' : outcome];
}

/** Draws a result: `canPay` while this tab has what its order was made of, `canChange` while that can be made otherwise. */
export function drawReceipt(result, { canPay, canChange }) {
  const { order, failure, watching, outcome, payable } = result;
  const { tone, mark, title, text } = wordsOf(result);
  Object.assign(at('receipt').dataset, { tone, outcome, watching, status: order?.status ?? '' });
  at('result-mark').textContent = say(mark);
  at('result-title').textContent = say(title);
  at('result-text').textContent = say(text);
  const reason = ['DECLINED', 'WINDOW_FAILED'].includes(outcome) ? failure?.message : undefined;
  at('result-reason').hidden = !reason;
  at('result-reason-text').textContent = reason ?? '';

  // A payment window may be gone without a response: the checkout syncs the order before it opens another.
  at('pay-again').hidden = !(payable || outcome === 'OPEN') || !canPay;
  at('check-again').hidden = !WAITING.includes(outcome);
  // Where the page turns by itself there is nothing to press.
  const turns = ['VIRTUAL_ACCOUNT_ISSUED', 'CANCELLING'].includes(outcome);
  at('check-again').className = at('pay-again').hidden && !turns ? 'primary' : 'quiet';
  at('change-order').hidden = !payable || !canChange;

  drawAccount(result);
  at('result-lines').replaceChildren(...(order?.items ?? []).map((line) => drawLine(line, order.amount.currency)));
  at('result-facts').replaceChildren(...factsOf(result).map(([term, value, kind = '']) =>
    clone('fact', (find, fact) => {
      fact.className = kind;
      find('dt').textContent = say(term);
      find('dd').textContent = value;
    })));
}

const drawLine = ({ name, quantity, amount }, currency) =>
  clone('line', (find) => {
    find('.what').textContent = name;
    find('.times').textContent = say(phrases.times, { quantity });
    find('.amount').textContent = money(amount, currency);
  });

/** `[term, value, class]` each: the money first, then when, then the number to ask about. */
function factsOf({ orderId, order, outcome, payable }) {
  const { amount, createdAt, paidAt, expiresAt, virtualAccount } = order ?? {};
  return [
    amount && [phrases.total, money(amount.total, amount.currency), 'total'],
    ...returnsOf(order ?? {}),
    createdAt && [phrases.orderedAt, moment(createdAt)],
    paidAt && [phrases.paidAt, moment(paidAt)],
    expiresAt && payable && [phrases.payBy, moment(expiresAt)],
    virtualAccount?.expiresAt && outcome === 'ACCOUNT_OVERDUE' && [phrases.depositBy, deadline(virtualAccount.expiresAt)],
    [phrases.orderNumber, orderId, 'number'],
  ].filter(Boolean);
}

/** What went back, what is on its way back, and what is left. A refused cancellation is the shop's own trouble. */
function returnsOf({ amount, cancellations = [] }) {
  // No money arrived, or money that is not this order's, which is no share of its total.
  if (!amount?.paid) return [];
  const { paid, cancelled, currency } = amount;
  const back = (part) => `−${money(part, currency)}`;
  const done = cancellations.filter(({ status }) => status === 'SUCCEEDED');
  const listed = done.reduce((sum, row) => sum + row.amount, 0);
  return [
    ...done.map((row) => [row.amount < paid ? phrases.partCancelled : phrases.allCancelled, back(row.amount), 'back']),
    cancelled > listed && [phrases.returned, back(cancelled - listed), 'back'],
    cancelled > 0 && cancelled < paid && [phrases.left, money(paid - cancelled, currency), 'total'],
    ...cancellations.filter(isUnderWay).map((row) => [phrases.cancelling, money(row.amount, currency), 'under-way']),
  ];
}

function drawAccount({ order, outcome }) {
  const account = outcome === 'VIRTUAL_ACCOUNT_ISSUED' && order.virtualAccount;
  at('account').hidden = !account;
  if (!account) return;
  const shown = {
    bank: account.bank && bankName(account.bank),
    number: account.accountNumber,
    holder: account.holder,
    amount: money(order.amount.total, order.amount.currency),
    until: account.expiresAt && say(phrases.until, { time: deadline(account.expiresAt) }),
  };
  for (const [name, text] of Object.entries(shown)) {
    const place = at(`account-${name}`);
    place.textContent = text ?? '';
    place.closest('div').hidden = !text;
    // A name that has no English one is read as the Korean it is.
    if (HANGUL.test(text)) place.lang = 'ko';
    else place.removeAttribute('lang');
  }
  // Banking apps take the bare digits of an amount.
  at('account-amount').dataset.plain = order.amount.total;
}

async function copy({ currentTarget: pressed }) {
  const source = at(pressed.dataset.copy);
  const copied = await navigator.clipboard.writeText(source.dataset.plain ?? source.textContent).then(() => true, () => false);
  const name = source.closest('div').querySelector('dt').textContent;
  announce(say(copied ? phrases.copied : phrases.notCopied, { name }));
  // The clipboard holds one thing.
  for (const button of document.querySelectorAll('[data-copy]')) {
    button.textContent = say(copied && button === pressed ? phrases.copiedShort : phrases.copyShort);
  }
}

for (const button of document.querySelectorAll('[data-copy]')) button.onclick = copy;
