/** What a person has to look at, with its next step, until it is settled. */
import * as api from './api.js';
import { announce, at, confirmed, el, facts } from './dom.js';
import { latest, tell } from './trouble.js';
import { factNames, language, moment, phrases, say, word } from './words.js';

const ORDER_ID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const load = latest();

let list = [];
let next = null;
/** The language that the API's sentences are in. */
let told;

export function show() {
  at('findings-trouble').textContent = '';
  read();
}

function read(after) {
  announce(say(phrases.loading));
  const from = after ? list.length : 0;
  load(
    () => api.findings(after),
    (page) => {
      list = after ? [...list, ...page.findings] : page.findings;
      ({ next } = page);
      told = language;
      draw();
      announce(list.length ? count() : say(phrases.noFindings));
      // The pressed button may be gone: go on where the new ones begin.
      if (after) at('findings').querySelectorAll('h2')[from]?.focus();
    },
    (error) => tell('findings-trouble', error),
  );
}

const count = () => say(next ? phrases.findingsMore : phrases.findingsCount, { count: list.length });

export function draw() {
  if (told && told !== language) {
    read();
    return;
  }
  at('findings-count').textContent = list.length ? `${list.length}${next ? '+' : ''}` : '';
  at('findings').replaceChildren(...(list.length ? list.map(card) : [el('p', { class: 'empty' }, say(phrases.noFindings))]));
  at('findings-next').hidden = !next;
}

/** The order a finding is about, if it is about one of ours. */
export const orderOf = ({ kind, subject, facts: known }) =>
  kind !== 'ORPHAN' && [subject, known.paymentId].find((id) => ORDER_ID.test(id ?? ''));

function card(finding) {
  const { id, kind, subject, reason, nextStep, firstSeenAt, facts: known } = finding;
  const order = orderOf(finding);
  const name = say(phrases.settleNamed, { reason, subject });
  return el('article', { class: 'paper finding', 'data-finding': id },
    el('h2', { tabindex: '-1' }, reason, ' ', el('small', { class: 'code' }, kind)),
    el('p', { class: 'next-step' }, nextStep),
    facts([
      [say(phrases.about), el('span', { class: 'code' }, subject)],
      ...Object.entries(known).map(([fact, value]) => [word(factNames, fact), value]),
      [say(phrases.firstSeen), moment(firstSeenAt)],
    ]),
    el('div', { class: 'row' },
      order && el('a', { href: `#/orders/${order}`, class: 'button' }, say(phrases.openOrder)),
      el('button', { type: 'button', 'aria-label': name, onclick: () => settle(id) }, say(phrases.settle))));
}

async function settle(id) {
  const sure = await confirmed({ title: say(phrases.settleTitle), text: say(phrases.settleText), yes: say(phrases.settle), no: say(phrases.confirmNo) });
  if (!sure) return;
  at('findings-trouble').textContent = '';
  try {
    await api.settle(id);
  } catch (error) {
    // Settled already, by itself or by somebody else.
    if (error.problem?.code !== 'finding-not-found') {
      tell('findings-trouble', error);
      return;
    }
  }
  const index = list.findIndex((finding) => finding.id === id);
  list = list.filter((finding) => finding.id !== id);
  draw();
  announce(say(phrases.settled), { seen: true });
  const headings = at('findings').querySelectorAll('h2');
  (headings[Math.min(index, headings.length - 1)] ?? at('findings-title')).focus();
}

export function forget() {
  list = [];
  next = null;
  told = undefined;
  at('findings').replaceChildren();
  at('findings-count').textContent = '';
}

at('findings-next').onclick = () => read(next);
