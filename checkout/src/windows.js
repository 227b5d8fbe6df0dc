import { CheckoutError } from './error.js';

const scripts = new Map();

const SCRIPT_MAX_MS = 15_000;

/** Loads a script once and makes it `ready`; a load that failed may be tried again. */
function loadScript(src, ready) {
  if (!scripts.has(src)) {
    const loaded = new Promise((resolve, reject) => {
      if (!src) throw new TypeError('no script is configured');
      document.head.append(Object.assign(document.createElement('script'), { src, onload: resolve, onerror: reject }));
      setTimeout(reject, SCRIPT_MAX_MS);
    });
    scripts.set(src, loaded.then(ready).catch((cause) => {
      scripts.delete(src);
      throw new CheckoutError('window-unavailable', { cause });
    }));
  }
  return scripts.get(src);
}

/** @type {any} What the scripts leave there. */
const page = globalThis;

/**
 * @typedef {import('../checkout.js').CheckoutOptions} Options
 * @typedef {{ orderId?: string, code?: string, message?: string, pgCode?: string, claim?: object }} Said
 * @typedef {{ load(options: Options): Promise<unknown>, pay(payment: object): Promise<Said>, returned(query: any): Said }} PaymentWindow
 */

/**
 * One entry per generation of PortOne, which an order's `sdk` names.
 *
 * `load` brings its script. `pay` opens its window with `payment` exactly as the API gave it and resolves to `{code?,
 * message?, pgCode?, claim?}`, where no code means that the window reports success and `claim` is what verify is asked
 * with. `returned` reads the same, and the `orderId`, from the query that a phone comes back with.
 *
 * @type {Record<import('../checkout.js').Sdk, PaymentWindow>}
 */
export const windows = {
  v2: {
    load: async ({ portoneSdk }) => page.PortOne || loadScript(portoneSdk),
    async pay(payment) {
      try {
        return windows.v2.returned((await page.PortOne.requestPayment(payment)) ?? {});
      } catch (error) {
        // What is wrong before the window opens is thrown, with the same members.
        return { code: error.code ?? 'UnknownError', message: error.message };
      }
    },
    // A channel with manual approval gives a `paymentToken`: nothing is charged until the API approves with it.
    returned({ paymentId, payment_id: older, code, message, pgCode, paymentToken }) {
      const orderId = paymentId ?? older;
      return { orderId, code, message, pgCode, claim: orderId && { paymentId: orderId, paymentToken } };
    },
  },
  v1: {
    // The script warns of a second `init`.
    load: ({ portoneV1Sdk, portoneV1Code }) => loadScript(portoneV1Sdk, () => page.IMP.init(portoneV1Code)),
    pay: (payment) => new Promise((resolve) => {
      page.IMP.request_pay(payment, (response) => resolve(windows.v1.returned(response)));
    }),
    // Callback and query have the same members. Not every PG gives `success`, so nothing here looks at it.
    returned({ imp_uid: impUid, merchant_uid: orderId, error_code: code, error_msg: message }) {
      // Without an `imp_uid` no window opened, and only the text tells of an amount other than the registered one.
      const unopened = /사전 ?등록/.test(message) ? 'AmountNotEqualToPredefined' : 'Unavailable';
      return { orderId, code: impUid ? code || message : unopened, message, claim: { imp_uid: impUid || null, merchant_uid: orderId } };
    },
  },
};

/** What PortOne adds to the address that a phone returns to. */
const ADDED = /^(payment_?id|code|message|pg_?code|pg_?message|transaction_?type|tx_?id|payment_?token|imp_(uid|success)|merchant_uid|error_(code|msg)|success)$/i;

/**
 * What the address of this page says of a payment, if it does. The address is cleaned, so that it is not returned to
 * twice nor shared with what it carries; what is the page's own stays in it.
 */
export function takeReturn() {
  const address = new URL(location.href);
  const query = Object.fromEntries(address.searchParams);
  const returned = Object.values(windows)
    .map((opened) => opened.returned(query))
    .find(({ orderId }) => /^[0-9A-Z]{26}$/.test(orderId ?? ''));
  if (!returned) return undefined;
  for (const name of Object.keys(query)) if (ADDED.test(name)) address.searchParams.delete(name);
  history.replaceState(history.state, '', address);
  return returned;
}
