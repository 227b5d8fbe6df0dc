/**
 * Giving money back, whole or in part, or closing an order nobody paid.
 *
 * Money moves once for what an operator wants once: the idempotency key is that of the order's version on the screen, so
 * two presses, two tabs and two operators who look at the same order ask for the same cancellation or get a refusal. A
 * key whose request got no answer is kept, in this browser, until it is known what became of it; nothing else is.
 */
import * as api from './api.js';
import { announce, at, confirmed, el } from './dom.js';
import { sentences, tell } from './trouble.js';
import { banks, minorUnits, money, phrases, said, say, word } from './words.js';

let order;
let read;
/** What was asked for and not answered, for sending it again as it was. Gone with the page; its key is not. */
let unanswered;
let needsAccount = false;
let busy = false;

const kept = {
  name: () => `console.cancelling.${order.orderId}`,
  get: () => JSON.parse(localStorage.getItem(kept.name()) ?? 'null'),
  set: (attempt) => localStorage.setItem(kept.name(), JSON.stringify(attempt)),
  forget: () => localStorage.removeItem(kept.name()),
};

const isOpen = () => ['PENDING', 'PAY_PENDING', 'VIRTUAL_ACCOUNT_ISSUED'].includes(order.status);
const currency = () => order.received?.currency ?? order.amount.currency;
export const hasUnknown = ({ cancellations }) => cancellations.some(({ status }) => status === 'UNKNOWN');

export function forget() {
  order = undefined;
  unanswered = undefined;
  needsAccount = false;
  at('cancel-form').reset();
  clearFaults();
  at('cancel-trouble').textContent = '';
}

/** Draws the form for what is left of the order; `readAnew` reads it again. */
export function draw(shown, readAnew) {
  const isAnother = order?.orderId !== shown.orderId;
  order = shown;
  read = readAnew;
  // A row more than when it was asked for: that is what became of it, and it stands in the ledger.
  const attempt = kept.get();
  if (attempt && order.cancellations.length > attempt.rows) {
    const wasAsked = Boolean(unanswered);
    settled();
    if (wasAsked) tellOutcome(order.cancellations.at(-1));
  }
  at('cancel').hidden = !(isOpen() || order.balance > 0);
  at('cancel-whole').hidden = isOpen();
  at('whole-label').textContent = say(phrases.wholeOf, { amount: money(order.balance, currency()) });
  at('cancel-send').textContent = say(isOpen() ? phrases.confirmCloseYes : phrases.confirmYes);
  at('tax-free-field').hidden = taxFreeLeft() === 0;
  const [chosen] = [at('bank').value];
  at('bank').replaceChildren(el('option', { value: '' }, ''), ...Object.keys(banks).map((bank) => el('option', { value: bank }, word(banks, bank))));
  at('bank').value = chosen;
  at('bank').hidden = order.paidThrough === 'V1';
  at('bank-code').hidden = !at('bank').hidden;
  document.querySelector('label[for^=bank]').htmlFor = at('bank').hidden ? 'bank-code' : 'bank';
  const notice = kept.get() && !unanswered ? say(phrases.cancelKept) : '';
  at('cancel-notice').textContent = notice;
  at('cancel-notice').hidden = !notice;
  if (isAnother) at('cancel-form').reset();
  drawChoice();
}

function drawChoice() {
  at('part-fields').hidden = isOpen() || !isPart();
  at('account-fields').hidden = isOpen() || !(needsAccount || order.payMethod === 'VIRTUAL_ACCOUNT');
  // Another cancellation has to wait for the outcome of the one before.
  at('cancel-fields').disabled = Boolean(unanswered) || hasUnknown(order) || busy;
  at('cancel-send').hidden = Boolean(unanswered);
  at('cancel-send').disabled = hasUnknown(order);
  at('cancel-again').hidden = !unanswered;
}

const isPart = () => at('cancel-form').elements.how.value === 'part';

function taxFreeLeft() {
  const alive = order.cancellations.filter(({ status }) => status !== 'FAILED');
  return Math.max(0, order.taxFreeAmount - alive.reduce((sum, row) => sum + row.taxFreeAmount, 0));
}

/** What the fields come to: `{body, faults}`, where a fault is `[field, sentence]`. */
function wanted() {
  const faults = [];
  const value = (id) => at(id).value.trim();
  const body = { reason: value('reason') };
  if (!body.reason) faults.push(['reason', say(phrases.reasonMissing)]);
  if (!isOpen() && isPart()) {
    body.amount = minorUnits(value('amount'), currency());
    if (!(body.amount >= 1)) faults.push(['amount', say(phrases.amountMissing)]);
    else if (body.amount > order.balance) faults.push(['amount', say(phrases.amountTooMuch, { amount: money(order.balance, currency()) })]);
    const share = value('tax-free');
    if (share && taxFreeLeft() > 0) {
      body.taxFreeAmount = minorUnits(share, currency());
      if (!(body.taxFreeAmount <= Math.min(taxFreeLeft(), body.amount))) faults.push(['tax-free', say(phrases.taxFreeWrong, { amount: money(taxFreeLeft(), currency()) })]);
    }
  }
  if (!at('account-fields').hidden) {
    const account = { bank: value(at('bank').hidden ? 'bank-code' : 'bank'), number: value('account-number').replace(/[\s-]/g, ''), holderName: value('holder') };
    if (!Object.values(account).every(Boolean)) faults.push(['account', say(phrases.accountMissing)]);
    body.refundAccount = { ...account, ...(value('holder-phone') && { holderPhoneNumber: value('holder-phone') }) };
  }
  return { body, faults };
}

/** The API names a field by its place in the body. */
const fieldOf = ({ pointer }) => ({ '/reason': 'reason', '/amount': 'amount', '/taxFreeAmount': 'tax-free' })[pointer] ?? (pointer.startsWith('/refundAccount') ? 'account' : undefined);
const inputOf = { reason: 'reason', amount: 'amount', 'tax-free': 'tax-free' };

function clearFaults() {
  for (const fault of at('cancel-form').querySelectorAll('.fault')) fault.textContent = '';
  for (const input of at('cancel-form').querySelectorAll('[aria-invalid]')) input.removeAttribute('aria-invalid');
}

function drawFaults(faults) {
  clearFaults();
  for (const [field, sentence] of faults) {
    at(`${field}-fault`).textContent = sentence;
    for (const input of field === 'account' ? at('account-fields').querySelectorAll('input:not(#holder-phone), select') : [at(inputOf[field])]) input.setAttribute('aria-invalid', 'true');
  }
  at('cancel-form').querySelector('[aria-invalid]:not([hidden])')?.focus();
}

async function submit() {
  if (busy) return;
  at('cancel-trouble').textContent = '';
  const { body, faults } = wanted();
  drawFaults(faults);
  if (faults.length) return;
  const closes = isOpen();
  const amount = money(body.amount ?? order.balance, currency());
  // Set before the first wait: a second press finds it.
  busy = true;
  const sure = await confirmed({
    title: say(closes ? phrases.confirmClose : phrases.confirmTitle, { amount }),
    text: [el('p', {}, el('span', { class: 'code' }, order.orderId)), el('p', {}, body.reason), el('p', {}, say(phrases.confirmText))],
    yes: say(closes ? phrases.confirmCloseYes : phrases.confirmYes), no: say(phrases.confirmNo),
  });
  busy = false;
  if (!sure) return;
  const attempt = kept.get() ?? { key: `console-${order.orderId}-${order.version}`, rows: order.cancellations.length };
  await send({ attempt, body, closes });
}

async function send(asked) {
  if (busy) return;
  busy = true;
  kept.set(asked.attempt);
  announce(say(phrases.cancelSent), { seen: true });
  at('cancel-trouble').textContent = '';
  drawChoice();
  let answered;
  let refused;
  try {
    ({ cancellation: answered } = await api.cancel(order.orderId, asked.attempt.key, asked.body));
    settled();
  } catch (error) {
    if (!error.kind) throw error;
    if (error.kind === 'unknown') {
      unanswered = asked;
    } else {
      // Refused, or never let in: nothing was done.
      settled();
      if (error.kind === 'signIn') {
        tell('cancel-trouble', error);
        return;
      }
      refused = refusal(error.problem);
    }
  } finally {
    busy = false;
  }
  const { orderId } = order;
  announce('');
  await read(null);
  // The ledger may have told by now what became of it; or this is another order.
  if (order?.orderId !== orderId) return;
  if (unanswered) complain(say(phrases.cancelLost));
  else if (refused) complain(refused);
  else if (answered !== undefined) tellOutcome(order.cancellations.find(({ id }) => id === answered?.id) ?? answered);
  drawChoice();
}

function settled() {
  kept.forget();
  unanswered = undefined;
}

function complain(sentence) {
  at('cancel-trouble').textContent = sentence;
}

/** What became of a cancellation, and of the form that asked for it. */
function tellOutcome(row) {
  const sentence = outcomeOf(row);
  if (['FAILED', 'UNKNOWN'].includes(row?.status)) {
    complain(sentence);
    return;
  }
  announce(sentence, { seen: true });
  at('cancel-form').reset();
  drawChoice();
}

function outcomeOf(cancellation) {
  const amount = money(cancellation?.amount ?? 0, currency());
  if (!cancellation || !cancellation.amount) return say(phrases.closeDone);
  const phrase = { SUCCEEDED: phrases.cancelDone, REQUESTED: phrases.cancelRequested, UNKNOWN: phrases.cancelUnknown, FAILED: phrases.cancelFailed }[cancellation.status];
  return say(phrase, { amount, said: said(cancellation) });
}

/** Why it cannot be done as it was asked for; fields say it themselves, in the API's words. */
function refusal(problem) {
  const { errors = [], balance, code } = problem;
  if (code === 'idempotency-key-reused') return say(phrases.cancelOther);
  if (errors.some(({ pointer }) => pointer.startsWith('/refundAccount'))) needsAccount = true;
  drawChoice();
  const [known, others] = [errors.filter(fieldOf), errors.filter((fault) => !fieldOf(fault))];
  drawFaults(known.map((fault) => [fieldOf(fault), fault.detail]));
  if (known.length && !others.length) return '';
  return [sentences({ ...problem, errors: others }), balance !== undefined && say(phrases.leftNow, { amount: money(balance, currency()) })].filter(Boolean).join(' ');
}

at('cancel-form').onsubmit = (event) => {
  event.preventDefault();
  submit();
};
at('cancel-form').onchange = ({ target }) => {
  if (target.name === 'how') drawChoice();
};
at('cancel-again').onclick = () => send(unanswered);
