/** One order: its money, its ledger, everything that happened to it, and looking at PortOne anew. */
import * as api from './api.js';
import * as cancel from './cancel.js';
import { announce, at, el, facts } from './dom.js';
import { latest, tell } from './trouble.js';
import { actors, depositRefunds, imbalances, language, methods, moment, money, origins, outcomes, phrases, rejections, said, say, statuses, tones, word, written } from './words.js';

const load = latest();
let orderId;
/** The order as `GET /orders/{orderId}/journal` has it. */
let order;
/** The language that the API's sentences are in. */
let told;

export function show({ id }) {
  at('order-trouble').textContent = '';
  if (id !== orderId) {
    forget();
    orderId = id;
    at('order-title').textContent = id;
  }
  read();
}

/** Reads the order anew; `news` is shown with it, and with `null` nothing is said. Resolves when it was tried. */
export function read(news) {
  if (!order) announce(say(phrases.loading));
  return load(
    () => api.journal(orderId),
    (answer) => {
      order = answer;
      told = language;
      draw();
      if (news) announce(news, { seen: true });
      else if (news === undefined) announce(word(statuses, order.status));
    },
    (error) => tell('order-trouble', error),
  );
}

export function forget() {
  orderId = undefined;
  order = undefined;
  at('order-title').textContent = '';
  at('order-name').textContent = '';
  at('order-status').hidden = true;
  at('order-body').hidden = true;
  cancel.forget();
}

export function draw() {
  at('sync').textContent = say(phrases.syncNow);
  if (!order) return;
  if (told !== language) {
    read();
    return;
  }
  at('order-name').replaceChildren(el('span', written(order.orderName), order.orderName));
  at('order-status').hidden = false;
  at('order-status').textContent = word(statuses, order.status);
  at('order-status').dataset.tone = tones[order.status];
  at('alarms').replaceChildren(...alarms());
  at('money').replaceChildren(moneyFacts());
  at('ledger').replaceChildren(...order.cancellations.map(ledgerRow));
  at('ledger-empty').hidden = order.cancellations.length > 0;
  at('ledger-empty').textContent = say(phrases.noCancellations);
  at('items').replaceChildren(...order.items.map(item));
  at('journal').replaceChildren(...order.journal.map(entry));
  cancel.draw(order, read);
  at('order-body').hidden = false;
  dispatchEvent(new Event('console:drawn'));
}

const inCurrency = (amount) => money(amount, order.amount.currency);

/** What nobody may overlook, before everything else. */
function alarms() {
  const loud = (title, ...text) => el('div', { class: 'alarm', role: 'group', 'aria-label': title }, el('h2', {}, title), ...text);
  return [
    order.imbalances.length && loud(say(phrases.odd), el('ul', {}, order.imbalances.map((fault) => el('li', {}, word(imbalances, fault))))),
    order.rejections.length && loud(say(phrases.rejected),
      el('p', {}, say(order.received?.returned < order.received?.amount ? phrases.rejectedText : phrases.rejectedDone, { reasons: order.rejections.map((reason) => word(rejections, reason)).join(', ') }))),
    cancel.hasUnknown(order) && loud(say(phrases.unknownOutcome), el('p', {}, say(phrases.unknownOutcomeText))),
    ...order.findings.map(({ reason, nextStep }) => loud(`${say(phrases.findingHere)}: ${reason}`,
      el('p', {}, nextStep), el('p', {}, el('a', { href: '#/findings' }, say(phrases.toFindings))))),
  ].filter(Boolean);
}

function moneyFacts() {
  const { received, balance, virtualAccount: account, lastFailure: failure } = order;
  const inReceived = (amount) => money(amount, received.currency);
  const underWay = received ? received.amount - received.returned - balance : 0;
  return facts([
    [say(phrases.total), inCurrency(order.amount.total)],
    received && [say(phrases.paid), inReceived(received.amount)],
    received?.returned > 0 && [say(phrases.cancelled), `−${inReceived(received.returned)}`],
    underWay > 0 && [say(phrases.underWay), inReceived(underWay), 'under-way'],
    received && [say(phrases.left), inReceived(balance), 'total'],
    order.taxFreeAmount > 0 && [say(phrases.taxFree), inCurrency(order.taxFreeAmount)],
    [say(phrases.method), word(methods, order.payMethod)],
    [say(phrases.generation), order.paidThrough],
    order.paidAt && [say(phrases.paidAt), moment(order.paidAt)],
    order.status === 'PENDING' && [say(phrases.expiresAt), moment(order.expiresAt)],
    account && [say(phrases.account), el('span', written(account.bank), `${account.bank ?? ''} ${account.accountNumber}`.trim())],
    failure && [say(phrases.lastFailure), el('span', written(failure.message), [failure.code, failure.message].filter(Boolean).join(' · '))],
    order.depositRefund && [say(phrases.depositRefund), word(depositRefunds, order.depositRefund)],
    ...order.disputes.map((dispute) => [say(phrases.dispute), disputeText(dispute)]),
  ]);
}

function disputeText({ pgDisputeId, open, openedAt, resolvedAt }) {
  const sentence = open ? phrases.disputeOpen : resolvedAt ? phrases.disputeResolved : phrases.disputeEnded;
  const text = say(sentence, { at: moment(openedAt), resolved: resolvedAt && moment(resolvedAt) });
  return el('span', {}, text, pgDisputeId && el('span', { class: 'code' }, ` ${pgDisputeId}`));
}

function ledgerRow(row) {
  const currency = order.received?.currency ?? order.amount.currency;
  return el('li', { 'data-number': row.number, 'data-status': row.status },
    el('p', {},
      el('b', { class: 'amount' }, row.amount ? money(row.amount, currency) : say(phrases.closing)),
      el('span', { class: 'stamp', 'data-tone': tones[row.status] }, word(outcomes, row.status)),
      row.taxFreeAmount > 0 && el('small', {}, say(phrases.ofWhichTaxFree, { amount: money(row.taxFreeAmount, currency) }))),
    row.failure && el('p', { class: 'fault' }, say(phrases.pgSays, { said: said(row) })),
    row.reason && el('p', written(row.reason), row.reason),
    el('p', { class: 'small' }, `#${row.number} · ${moment(row.at)} · ${word(origins, row.origin)}`, row.portoneId && el('span', { class: 'code' }, ` ${row.portoneId}`)));
}

const item = ({ name, quantity, amount }) =>
  el('li', {}, el('span', written(name), name), el('span', { class: 'times' }, `× ${quantity}`), el('span', { class: 'amount' }, inCurrency(amount)));

function entry({ version, at: when, by, who, status, seen, cancellations }, index) {
  const before = order.journal[index - 1]?.status;
  const moved = before && before !== status;
  const headline = moved ? say(phrases.changed, { from: word(statuses, before), to: word(statuses, status) }) : before ? say(phrases.noChange, { status: word(statuses, status) }) : word(statuses, status);
  return el('li', { 'data-version': version, 'data-tone': moved || !before ? tones[status] : 'same' },
    el('p', { class: 'small' }, el('time', { datetime: when }, moment(when)), ` · ${word(actors, by)}`, who && el('span', { class: 'code' }, ` ${who}`)),
    el('p', {}, el('b', {}, headline), ' ', el('small', {}, `v${version}`)),
    cancellations.map(({ number, status: outcome }) => el('p', {}, say(phrases.moved, { number, status: word(outcomes, outcome) }))),
    seen && el('p', { class: 'small' }, say(phrases.seen, { status: seen.status }), seen.transactionId && el('span', { class: 'code' }, ` ${seen.transactionId}`)));
}

at('sync').onclick = async () => {
  if (at('sync').getAttribute('aria-disabled')) return;
  at('sync').setAttribute('aria-disabled', 'true');
  at('order-trouble').textContent = '';
  try {
    const { status } = await api.sync(orderId);
    await read(say(phrases.synced, { status: word(statuses, status) }));
  } catch (error) {
    if (error.problem?.code === 'order-not-found') at('order-trouble').textContent = say(phrases.orderNotFound);
    else tell('order-trouble', error);
  } finally {
    at('sync').removeAttribute('aria-disabled');
  }
};
