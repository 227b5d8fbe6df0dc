/** The few steps that every part of this page takes with its document. */

export const at = (id) => document.getElementById(id);

/** Read aloud by screen readers; nothing on the page moves. */
export function announce(text) {
  at('status').textContent = text;
}

/** What a template holds, filled in. */
export function clone(template, fill) {
  const node = at(template).content.firstElementChild.cloneNode(true);
  fill((selector) => node.querySelector(selector), node);
  return node;
}
