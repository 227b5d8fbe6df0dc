/** Finding an order by a number somebody has of it. */
import * as api from './api.js';
import { announce, at, el } from './dom.js';
import { latest, tell } from './trouble.js';
import { moment, money, phrases, say, statuses, tones, word, written } from './words.js';

const load = latest();
/** What was found, and by what. */
let found;

export function show({ given }) {
  const query = given.get('q') ?? '';
  at('query').value = query;
  at('search-trouble').textContent = '';
  if (!query) forget();
  if (query) ask(query);
}

function ask(query) {
  if (found?.query !== query) forget();
  announce(say(phrases.loading));
  load(
    () => api.search(query),
    (answer) => {
      // One order is what was looked for.
      if (answer.orders.length === 1 && !answer.unknownPayments.length && found?.query !== query) {
        location.replace(`#/orders/${answer.orders[0].orderId}`);
        return;
      }
      found = { query, ...answer };
      draw();
      announce(answer.orders.length ? say(phrases.found, { count: answer.orders.length }) : say(phrases.foundNothing));
    },
    (error) => tell('search-trouble', error),
  );
}

export function draw() {
  at('found').replaceChildren();
  if (!found) return;
  const { orders, unknownPayments, more } = found;
  if (!orders.length && !unknownPayments.length) at('found').append(el('p', { class: 'empty' }, say(phrases.foundNothing)));
  if (unknownPayments.length) {
    at('found').append(el('p', { class: 'notice' }, say(phrases.foundUnknown, { ids: unknownPayments.join(', ') }), ' ', el('a', { href: '#/findings' }, say(phrases.toFindings))));
  }
  if (orders.length) at('found').append(el('ul', { class: 'orders' }, orders.map(line)));
  if (more) at('found').append(el('p', { class: 'small' }, say(phrases.foundMore)));
}

const line = ({ orderId, status, orderName, total, currency, createdAt }) =>
  el('li', { class: 'paper' },
    el('a', { href: `#/orders/${orderId}`, class: 'code' }, orderId),
    el('span', { class: 'stamp', 'data-tone': tones[status] }, word(statuses, status)),
    el('span', written(orderName), orderName),
    el('b', {}, money(total, currency)),
    el('span', { class: 'small' }, `${say(phrases.orderedAt)} ${moment(createdAt)}`));

export function forget() {
  found = undefined;
  at('found').replaceChildren();
}

at('search-form').onsubmit = (event) => {
  event.preventDefault();
  const query = at('query').value.trim();
  const hash = `#/orders?q=${encodeURIComponent(query)}`;
  if (!query) at('query').focus();
  else if (location.hash === hash) ask(query);
  else location.hash = hash;
};
