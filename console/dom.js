/** The few steps that every part of this page takes with its document. */

export const at = (id) => document.getElementById(id);

/** Read aloud by screen readers; with `seen` it is also shown, until the next press. */
export function announce(text, { seen = false } = {}) {
  at('status').textContent = text;
  at('status').className = seen ? 'toast' : 'aloud';
}

for (const press of ['pointerdown', 'keydown']) {
  addEventListener(press, () => (at('status').className = 'aloud'));
}

/** An element: `el('td', { class: 'amount' }, 'text', other)`. What is no text and no element is left out. */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same in a drawing. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element[name] = value;
    else if (value === true) element.setAttribute(name, '');
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false && child !== ''));
  return element;
}

/** Names and values: `[['Total', '2,000'], …]`. */
export const facts = (pairs) =>
  el('dl', { class: 'facts' }, pairs.filter(Boolean).map(([name, value, kind]) => el('div', { class: kind }, el('dt', {}, name), el('dd', {}, value))));

/** Asks before something that cannot be taken back; resolves to whether it shall be done. */
export function confirmed({ title, text, yes, no }) {
  const dialog = at('confirm');
  at('confirm-title').textContent = title;
  at('confirm-text').replaceChildren(...[text].flat());
  at('confirm-yes').textContent = yes;
  at('confirm-no').textContent = no;
  dialog.returnValue = '';
  dialog.showModal();
  // Nobody gives money back by pressing Enter once too often.
  at('confirm-no').focus();
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue === 'yes');
  });
}
