/** What this page remembers: the visitor's choices. What the order needs, checkout.js keeps by itself. */

/** One remembered value. Where the browser forbids storage the page still works; it only forgets on a reload. */
function keep(area, name, initial) {
  let memory = initial;
  return {
    get() {
      try {
        return JSON.parse(window[area].getItem(`shop.${name}`)) ?? memory;
      } catch {
        return memory;
      }
    },
    set(value) {
      memory = value;
      try {
        window[area].setItem(`shop.${name}`, JSON.stringify(value));
      } catch {
        // Blocked or full: `memory` has it.
      }
    },
  };
}

export const kept = {
  language: keep('localStorage', 'language', 'ko'),
  /** Product id → quantity. */
  chosen: keep('sessionStorage', 'chosen', {}),
  /** `{body, total, orderId?}` of the last press on pay. It holds the buyer's name, so it goes with the tab. */
  ordered: keep('sessionStorage', 'ordered', null),
  /** The generation of PortOne that the visitor chose. */
  sdk: keep('sessionStorage', 'sdk', null),
};
