/** What the days came to, as the daily statement counted it: a chart, and the same numbers as a table. */
import * as api from './api.js';
import { drawChart } from './chart.js';
import { announce, at, el } from './dom.js';
import { latest, tell } from './trouble.js';
import { money, number, phrases, say } from './words.js';

const DAY_MS = 24 * 3_600_000;
const load = latest();
let answer;

/** A day of Korea, such as 2026-11-23, `back` days before now. */
const dayBefore = (back) => new Date(Date.now() + 9 * 3_600_000 - back * DAY_MS).toISOString().slice(0, 10);

export function show({ given }) {
  at('days-trouble').textContent = '';
  at('from').value = given.get('from') ?? dayBefore(31);
  at('to').value = given.get('to') ?? dayBefore(1);
  announce(say(phrases.loading));
  load(
    () => api.days(at('from').value, at('to').value),
    (days) => {
      answer = days;
      draw();
      announce(at('chart-caption').textContent);
    },
    (error) => {
      at('days-body').hidden = true;
      tell('days-trouble', error);
    },
  );
}

/** Every day of the span, with what moved in `currency` on it; `totals` is missing where it was not counted. */
function everyDay(currency) {
  const counted = new Map(answer.days.map((day) => [day.day, day]));
  const none = { payments: { count: 0, amount: 0 }, cancellations: { count: 0, amount: 0 }, returns: { count: 0, amount: 0 }, net: 0 };
  const days = [];
  for (let at = Date.parse(answer.from); at <= Date.parse(answer.to); at += DAY_MS) {
    const day = new Date(at).toISOString().slice(0, 10);
    const found = counted.get(day);
    days.push({ day, final: found?.final, totals: found && (found.totals.find((totals) => totals.currency === currency) ?? none) });
  }
  return days;
}

export function draw() {
  if (!answer) return;
  const currencies = [...new Set(answer.days.flatMap(({ totals }) => totals.map(({ currency }) => currency)))].sort();
  const chosen = currencies.includes(at('currency').value) ? at('currency').value : currencies.includes('KRW') ? 'KRW' : currencies[0] ?? 'KRW';
  at('currency').replaceChildren(...currencies.map((currency) => el('option', { value: currency }, currency)));
  at('currency').value = chosen;
  at('currency-field').hidden = currencies.length < 2;

  const days = everyDay(chosen);
  const sum = (kind, member) => days.reduce((all, { totals }) => all + (totals?.[kind][member] ?? 0), 0);
  const sums = Object.fromEntries(['payments', 'cancellations', 'returns'].map((kind) => [kind, { count: sum(kind, 'count'), amount: sum(kind, 'amount') }]));
  const back = sums.cancellations.amount + sums.returns.amount;

  const unreadable = answer.days.filter(({ unreadableOrders }) => unreadableOrders > 0).map(({ day }) => day);
  const notice = unreadable.length ? say(phrases.unreadable, { days: unreadable.join(', ') }) : currencies.length ? '' : say(phrases.nothingMoved);
  at('days-notice').textContent = notice;
  at('days-notice').hidden = !notice;
  at('legend-in').textContent = say(phrases.moneyIn);
  at('legend-back').textContent = say(phrases.moneyBack);
  at('chart-caption').textContent = say(phrases.chartTitle, { from: answer.from, to: answer.to, currency: chosen, in: money(sums.payments.amount, chosen), count: sums.payments.count, back: money(back, chosen) });
  at('days-table').replaceChildren(...table(days, sums, chosen));
  at('days-body').hidden = false;
  drawChart(at('chart'), days, chosen);
}

/** On a phone the year is left out. */
const dayHead = (day, ...more) => el('th', { scope: 'row', class: 'nowrap' }, el('span', { class: 'year' }, day.slice(0, 5)), day.slice(5), more);

function table(days, sums, currency) {
  const moved = ({ count, amount }) => el('td', { class: 'amount' }, count ? number(amount, currency) : '–', count > 0 && el('small', {}, ` ${say(phrases.countOf, { count })}`));
  const row = (name, totals, net) => [name, moved(totals.payments), moved(totals.cancellations), moved(totals.returns), el('td', { class: 'amount' }, el('b', {}, number(net, currency)))];
  const net = sums.payments.amount + sums.cancellations.amount + sums.returns.amount;
  return [
    el('caption', { class: 'small' }, say(phrases.unit, { currency })),
    el('thead', {}, el('tr', {}, ['day', 'payments', 'cancellations', 'returns', 'net'].map((name) => el('th', { scope: 'col', class: name === 'day' ? '' : 'amount' }, say(phrases[name]))))),
    // The newest first: that is what is looked for.
    el('tbody', {}, days.toReversed().map(({ day, final, totals }) => el('tr', { 'data-day': day },
      totals
        ? row(dayHead(day, !final && el('small', {}, ` ${say(phrases.notFinal)}`)), totals, totals.net)
        : [dayHead(day), el('td', { colspan: 4, class: 'small' }, say(phrases.notCounted))]))),
    el('tfoot', {}, el('tr', {}, row(el('th', { scope: 'row' }, say(phrases.net)), sums, net))),
  ];
}

export function forget() {
  answer = undefined;
  at('days-body').hidden = true;
}

at('days-form').onsubmit = (event) => {
  event.preventDefault();
  const hash = `#/days?from=${at('from').value}&to=${at('to').value}`;
  if (location.hash === hash) show({ given: new URLSearchParams(hash.split('?')[1]) });
  else location.hash = hash;
};
at('currency').onchange = draw;
new ResizeObserver(() => answer && !at('days-body').hidden && draw()).observe(at('chart'));
