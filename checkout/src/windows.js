import { CheckoutError } from './error.js';

const scripts = new Map();

const SCRIPT_MAX_MS = 15_000;

/** Loads a script once and makes it `ready`; a load that failed may be tried again. */
function loadScript(src, ready) {
  if (!scripts.has(src)) {
    const loaded = new Promise((resolve, reject) => {
      if (!src) throw new TypeError('no script');
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
 * @typedef {{ orderId?: string, orderToken?: string, code?: string, message?: string, pgCode?: string, claim?: object }} Said
 * @typedef {{ load(options: Options): Promise<unknown>, pay(payment: any): Promise<Said>, returned(query: any): Said }} PaymentWindow
 */

/**
 * One entry per generation of PortOne, which an order's `sdk` names.
 *
 * `load` brings its script. `pay` opens its window with `payment` and resolves to `{code?, message?, pgCode?, claim?}`,
 * where no code means that the window reports success and `claim` is what verify is asked with. Which order it is about
 * is known from `payment`: a response may lack the order's ID, or be empty, and only adds to that. `returned` reads the
 * same, and the `orderId`, from the query that a phone comes back with.
 *
 * @type {Record<import('../checkout.js').Sdk, PaymentWindow>}
 */
export const windows = {
  v2: {
    load: async ({ portoneSdk }) => page.PortOne || loadScript(portoneSdk),
    async pay(payment) {
      try {
        return windows.v2.returned({ ...(await page.PortOne.requestPayment(payment)), paymentId: payment.paymentId });
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
      page.IMP.request_pay(payment, (response) => resolve(windows.v1.returned({ ...response, merchant_uid: payment.merchant_uid })));
    }),
    // Callback and query have the same members. Not every PG gives `success`, so nothing here looks at it.
    returned({ imp_uid: impUid, merchant_uid: orderId, error_code: code, error_msg: message }) {
      // Without an `imp_uid` no window opened. Only the text says whether the amount is another one than registered, or
      // the order is paid already.
      const refused = /이미/.test(message) ? 'PaymentAlreadyPaid' : 'Unavailable';
      const unopened = /사전 ?등록/.test(message) ? 'AmountNotEqualToPredefined' : refused;
      return { orderId, code: impUid ? code || message : unopened, message, claim: { imp_uid: impUid || undefined, merchant_uid: orderId } };
    },
  },
};

/** What PortOne adds to the address that a phone returns to. */
const ADDED = /^(payment_?id|code|message|pg_?code|pg_?message|transaction_?type|tx_?id|payment_?token|imp_(uid|success)|merchant_uid|error_(code|msg)|success)$/i;

/** The order's token at the end of a fragment, and what a PG's redirect that knows no fragments appends to it. */
const CARRIED = /[#&]orderToken=([\w-]*)[?&]?(.*)$/;

/**
 * The payment with the order's token in the fragment of its return address: a phone may return in another browser than
 * the one that ordered. Browsers send a fragment to no server, and not in `Referer`.
 */
export function carrying(payment, orderToken) {
  const carried = { ...payment };
  for (const name of ['redirectUrl', 'm_redirect_url']) {
    if (carried[name]) carried[name] += `${carried[name].includes('#') ? '&' : '#'}orderToken=${orderToken}`;
  }
  return carried;
}

/**
 * What the address of this page says of a payment, if it does. The address is cleaned, so that it is not returned to
 * twice nor shared with what it carries; what is the page's own stays in it.
 */
export function takeReturn() {
  const address = new URL(location.href);
  const [carried, orderToken, appended] = CARRIED.exec(address.hash) ?? [];
  const query = Object.fromEntries([...address.searchParams, ...new URLSearchParams(appended)]);
  const returned = Object.values(windows)
    .map((opened) => opened.returned(query))
    .find(({ orderId }) => /^[0-9A-Z]{26}$/.test(orderId ?? ''));
  if (returned || carried) {
    for (const name of Object.keys(query)) if (ADDED.test(name)) address.searchParams.delete(name);
    address.hash = address.hash.replace(CARRIED, '');
    history.replaceState(history.state, '', address);
  }
  return returned && { ...returned, orderToken };
}
