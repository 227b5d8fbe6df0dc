/**
 * The checkout in the browser: order, pay through PortOne, find out what came of it. This is the one module to copy;
 * page.js draws this demo's page from it and is there to be replaced.
 *
 * It knows no price and decides nothing about money. The API makes the order and its amount, PortOne's window takes
 * the payment, and only the API, which asks PortOne itself, says that an order is paid. What is hard here is that any
 * answer may get lost and any tab may close, so three things are kept before they are needed:
 *
 * - the Idempotency-Key of a checkout: the same order sent twice is one order;
 * - the order's id and token, before the payment window opens: whoever comes back is told how it ended;
 * - the order itself, until the tab closes: a declined payment is tried again on the same order.
 */
import { config } from './config.js';

// ---------------------------------------------------------------------------------------------- what is remembered

/** One remembered value. Where the browser forbids storage the shop still sells; it only forgets on a reload. */
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
  /** Newest first, `{orderId, orderToken, until, told}`: outlives the tab, and names nobody. */
  orders: keep('localStorage', 'orders', []),
  /** Product id → quantity. */
  chosen: keep('sessionStorage', 'chosen', {}),
  /** `{key, content, sdk, order?}` of the checkout under way. It holds the buyer's name, so it goes with the tab. */
  checkout: keep('sessionStorage', 'checkout', null),
  /** The generation of PortOne that the visitor chose: a name in `windows`. */
  sdk: keep('sessionStorage', 'sdk', null),
};

const knownOrder = (orderId) => kept.orders.get().find((known) => known.orderId === orderId);

const otherOrders = (orderId) => kept.orders.get().filter((known) => known.orderId !== orderId);

function rememberOrder(orderId, news) {
  kept.orders.set([{ ...knownOrder(orderId), orderId, ...news }, ...otherOrders(orderId)].slice(0, 5));
}

// --------------------------------------------------------------------------------------------------------- the API

/** The API said no: `problem` is its RFC 9457 body, whose `detail` is already in the buyer's language. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.title ?? `status ${status}`);
    this.status = status;
    this.problem = problem;
  }
}

/** Nothing was ordered, because PortOne's script did not load. */
export class WindowMissing extends Error {}

/** The order came out at another amount than the buyer was shown, and was left alone. */
export class PriceChanged extends Error {}

/** What the page wants to hear; `start` fills it in. */
let page = { result() {}, retrying() {} };

const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));

/**
 * Calls the API and asks again while the answer is lost or "not now". Every call here may be repeated: reads, verify
 * (which only re-reads), and orders, by their key. Throws `Refused`, or whatever fetch threw when no answer came.
 */
async function call(method, path, { body, key, token, tries = 4 } = {}) {
  const headers = { 'Accept-Language': document.documentElement.lang };
  if (body) headers['Content-Type'] = 'application/json';
  if (key) headers['Idempotency-Key'] = key;
  if (token) headers.Authorization = `Bearer ${token}`;

  for (let attempt = 1; ; attempt += 1) {
    let wait = 500 * 2 ** (attempt - 1);
    try {
      // The API answers within 29 s whatever happens behind it; later than that the answer is lost.
      const signal = AbortSignal.timeout(32_000);
      const response = await fetch(config.apiBase + path, { method, headers, body: body && JSON.stringify(body), signal });
      if (response.ok) return await response.json();

      const refused = new Refused(response.status, await response.json().catch(() => ({})));
      const passing = response.status >= 500 || response.status === 429 || refused.problem.code === 'request-in-progress';
      // Another origin shows this header only when its CORS answer exposes it; without it the doubling wait holds.
      const asked = (Number(response.headers.get('Retry-After')) || 0) * 1000;
      // Nobody watches a button for longer than this: better to say "in a moment" and leave it to the buyer.
      if (!passing || attempt >= tries || asked > 15_000) throw refused;
      wait = Math.max(wait, asked);
    } catch (error) {
      if (error instanceof Refused || attempt >= tries || !navigator.onLine) throw error;
    }
    page.retrying();
    await pause(wait);
  }
}

/** `[{productId, name, price, currency, available}]` */
export const readProducts = async () => (await call('GET', '/products')).products;

const readOrder = (orderId, tries) =>
  call('GET', `/orders/${encodeURIComponent(orderId)}`, { token: knownOrder(orderId)?.orderToken, tries });

const verifyPayment = (orderId, body = { paymentId: orderId }) =>
  call('POST', '/payments/verify', { body, token: knownOrder(orderId)?.orderToken, tries: 3 });

/**
 * Makes the order, or gets the one this same content has already made: the key changes only when the content does, or
 * when that order can no longer be paid. The order's id and token are kept before this returns.
 */
async function createOrder(body) {
  const content = JSON.stringify(body);
  let checkout = kept.checkout.get();
  const spent = checkout?.order && isExpired(checkout.order.orderId);
  if (checkout?.content !== content || spent) checkout = { content, sdk: body.sdk, key: crypto.randomUUID() };
  kept.checkout.set(checkout);

  const order = await call('POST', '/orders', { body, key: checkout.key });
  kept.checkout.set({ ...checkout, order });
  // How long it may be paid for is measured on this device's own clock, which need not agree with the server's.
  const until = knownOrder(order.orderId)?.until ?? Date.now() + Date.parse(order.expiresAt) - Date.parse(order.createdAt);
  rememberOrder(order.orderId, { orderToken: order.orderToken, until });
  return order;
}

const isExpired = (orderId) => Date.now() > (knownOrder(orderId)?.until ?? Infinity);

/** Whether the time to pay into the virtual account is over, by the same clock. */
function isOverdue({ orderId, expiresAt, virtualAccount }) {
  const ahead = (knownOrder(orderId)?.until ?? Date.parse(expiresAt)) - Date.parse(expiresAt);
  return Date.now() > Date.parse(virtualAccount?.expiresAt) + ahead;
}

/** Whether this tab still has the order to open the payment window with. */
export const isPayable = (orderId) => kept.checkout.get()?.order?.orderId === orderId && !isExpired(orderId);

// ---------------------------------------------------------------------------------------------- the payment window

const scripts = new Map();

/** Loads a script once and makes it `ready`; a load that failed may be tried again. */
function loadScript(src, ready) {
  if (!scripts.has(src)) {
    const loaded = new Promise((resolve, reject) => {
      document.head.append(Object.assign(document.createElement('script'), { src, onload: resolve, onerror: reject }));
      setTimeout(reject, 15_000);
    });
    scripts.set(src, loaded.then(ready).catch(() => {
      scripts.delete(src);
      throw new WindowMissing(src);
    }));
  }
  return scripts.get(src);
}

/**
 * One entry per PortOne generation, which an order's `sdk` names; a shop of one generation deletes the other.
 *
 * `load` brings its script. `pay` opens its window with `payment` exactly as the API gave it and resolves to
 * `{code?, message?, pgCode?, claim?}`, where no code means that the window reports success and `claim` is what verify
 * is asked with. On a phone the page may go away instead: `returned` reads the same, and the `orderId`, from the query
 * that it comes back with.
 */
const windows = {
  v2: {
    load: () => loadScript(config.portoneSdk),
    async pay(payment) {
      try {
        return windows.v2.returned((await window.PortOne.requestPayment(payment)) ?? {});
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
    load: () => loadScript(config.portoneV1Sdk, () => window.IMP.init(config.portoneV1Code)),
    pay: (payment) => new Promise((resolve) => {
      window.IMP.request_pay(payment, (response) => resolve(windows.v1.returned(response)));
    }),
    // Callback and query have the same members. Not every PG gives `success`, so nothing here looks at it.
    returned({ imp_uid: impUid, merchant_uid: orderId, error_code: code, error_msg: message }) {
      const claim = { imp_uid: impUid || null, merchant_uid: orderId };
      // Without an `imp_uid` no window opened, and only the text tells of an amount other than the registered one.
      const unopened = /사전 ?등록/.test(message) ? 'AmountNotEqualToPredefined' : 'Unavailable';
      return { orderId, code: impUid ? code || message : unopened, message, claim };
    },
  },
};

/** The generations to choose from, the first being the default: those that config.js has a script for. */
export const generations = [config.portoneSdk && 'v2', config.portoneV1Sdk && 'v1'].filter((sdk) => sdk in windows);

/** Worth calling early, so that the script is there when the buyer presses pay. */
export const loadWindow = (sdk) => windows[sdk].load();

/** Which telling a failure deserves. Only words hang on it: the order's status is the API's. */
function kindOfFailure({ code, message, pgCode }) {
  if (code === 'AmountNotEqualToPredefined') return 'TAMPERED';
  if (code === 'PaymentAlreadyPaid') return 'CHECKING';
  // There is no code for it: each PG says in its own way that the buyer closed the window.
  if (/cancel|close/i.test(`${code} ${pgCode}`) || /취소|닫/.test(message)) return 'CLOSED';
  const unopened = ['BadRequest', 'RequestParseFailed', 'ParseChannelFailed', 'ParsePrepareResponseFailed', 'StoreNotFound',
    'ChannelNotFound', 'AllChannelsNotSatisfied', 'Unavailable', 'UnknownError'];
  return unopened.includes(code) ? 'WINDOW' : 'DECLINED';
}

// ----------------------------------------------------------------------------------------- from order to its result

/**
 * What is known of the order in hand: `telling` in one word (see `tellingOf`), `view` as the API last showed it,
 * `failure {code, message}` of the last attempt, `paid` when the window claimed success, `claim` that verify did not
 * answer yet, `open` while the window is open.
 */
let result = null;

/**
 * Makes the order and opens the payment window. `agreed` is the total the buyer was shown, in minor units. Throws
 * `Refused`, `PriceChanged`, `WindowMissing` or a network error, and then nothing was paid; otherwise the page is
 * told by `page.result`. Calling it again with the same body is safe.
 */
export async function orderAndPay(body, agreed) {
  await loadWindow(body.sdk);
  const order = await createOrder(body);
  if (order.amount.total !== agreed) {
    // Nobody pays an amount he has not seen: this order is left to expire, and the next press makes one as shown.
    kept.checkout.set(null);
    throw new PriceChanged();
  }
  await pay(body.sdk, order);
}

async function pay(sdk, order) {
  tell({ orderId: order.orderId, view: order, open: true });
  await settle(order.orderId, await windows[sdk].pay(order.payment));
}

/** Another attempt at the same order, in the window it was made for, after making sure that it is still to be paid. */
export async function payAgain() {
  const { order, sdk } = kept.checkout.get();
  try {
    const view = await readOrder(order.orderId);
    if (view.status !== 'PENDING' || isExpired(order.orderId)) return conclude(order.orderId, { view });
    await loadWindow(sdk);
  } catch (error) {
    const failure = error instanceof WindowMissing ? { code: 'Unavailable' } : undefined;
    return conclude(order.orderId, failure ? { view: order, failure } : {});
  }
  await pay(sdk, order);
}

/** The buyer does not want to wait for the next look. */
export const checkAgain = () => settle(result.orderId, { paid: Boolean(result.paid), claim: result.claim });

/**
 * Finds out how the payment ended, whatever the window said: a failed one may have gone through and the other way
 * round. Asks the API to re-read PortOne; if that answer is lost, what the webhook has written will do.
 */
async function settle(orderId, { code, message, pgCode, claim, paid = !code }) {
  tell({ orderId, view: result?.orderId === orderId ? result.view : undefined, paid: true, watching: true });
  const said = { paid, failure: code ? { code, message, pgCode } : undefined };
  conclude(orderId, await verifyPayment(orderId, claim).then(
    (view) => ({ ...said, view }),
    async (error) => {
      if (error.status === 404) return { notFound: true };
      const rejected = error.problem?.code === 'payment-mismatch' ? { orderId, status: 'REJECTED' } : undefined;
      return { ...said, claim, view: await readOrder(orderId, 2).catch(() => rejected) };
    },
  ));
}

/** Tells what is known of the order now, tidies up after it when it has ended, and watches it while it has not. */
function conclude(orderId, { view, failure, paid, claim, notFound }) {
  tell({ orderId, view, notFound, paid, claim, failure: failure ?? (paid ? undefined : view?.lastFailure) });
  const { telling } = result;
  const ended = ENDED.includes(telling);
  const bought = ['PAID', 'PARTIAL_CANCELLED', 'CANCELLING', 'VIRTUAL_ACCOUNT_ISSUED'].includes(telling);

  // The next visit starts with the shop again, not with an order whose outcome the buyer has seen.
  if (notFound) kept.orders.set(otherOrders(orderId));
  else if (knownOrder(orderId)) rememberOrder(orderId, { told: ended || bought });

  // A finished checkout gives up its key, or the next order of the same things would be this one again.
  if (kept.checkout.get()?.order?.orderId === orderId && (ended || bought || telling === 'TAMPERED')) {
    kept.checkout.set(null);
    if (bought) kept.chosen.set({});
  }
  if (!ended) watch();
}

/** Tellings after which nothing more is to come. */
const ENDED = ['PAID', 'PARTIAL_CANCELLED', 'CANCELLED', 'EXPIRED', 'REJECTED', 'NOT_FOUND'];

/** Seconds between looks: quick while a webhook is likely on its way, then patient. */
const BEATS = [1, 1, 2, 3, 5, 8, 13, 20, 30, 30];

/** A deposit or a bank's refund may take days: further and further apart, and as long as the page is there. */
function* beatsOfBanks() {
  for (let seconds = 2; ; seconds = Math.min(seconds * 1.5, 60)) yield seconds;
}

/** Counts what was told, so that a look begun before something newer was told keeps quiet. */
let tellings = 0;

/** Reads the order again and again until it moves; of what no bank decides it gives up after the last beat. */
async function watch() {
  if (!knownOrder(result.orderId)) return;
  const { orderId, view, claim } = result;
  // Who waits to be approved by hand waits for verify; everybody else for the webhook.
  const look = async () => (claim?.paymentToken && await verifyPayment(orderId, claim).catch(() => undefined)) || readOrder(orderId, 1);
  tell({ ...result, watching: true });
  const mine = tellings;
  const ofBanks = ['VIRTUAL_ACCOUNT_ISSUED', 'ACCOUNT_OVERDUE', 'CANCELLING'].includes(result.telling);
  for (const seconds of ofBanks ? beatsOfBanks() : BEATS) {
    await pause(seconds * 1000);
    if (mine !== tellings) return;
    // Nobody sees a page in the background; it looks when it is shown again (see `start`).
    if (ofBanks && document.hidden) continue;
    const seen = await look().catch(() => undefined);
    if (mine !== tellings) return;
    // What the window said counts until the first look; after that an order that moved tells its own story.
    const said = view ? {} : { paid: result.paid, failure: result.failure };
    if (seen && stageOf(seen) !== stageOf(view)) return conclude(orderId, { ...said, view: seen });
    // Time alone may have moved it.
    if (tellingOf(result) !== result.telling) return conclude(orderId, result);
  }
  tell({ ...result, watching: false });
}

/** What makes an order worth telling anew. */
const stageOf = (view) => view && JSON.stringify([view.status, view.cancellations]);

function tell(news) {
  tellings += 1;
  result = { ...news, telling: tellingOf(news) };
  page.result(result);
}

/** A cancellation that was asked for and is not decided: the PG's turn (REQUESTED), or no answer yet (UNKNOWN). */
export const isUnderWay = ({ status }) => ['REQUESTED', 'UNKNOWN'].includes(status);

/** One word for what is known: an order's status, or what its buyer should hear instead. */
function tellingOf({ orderId, view, failure, paid, open, watching, notFound }) {
  if (notFound) return 'NOT_FOUND';
  if (open) return 'OPEN';
  if (!view) return paid && watching ? 'CHECKING' : 'UNREACHABLE';
  if (view.status === 'VIRTUAL_ACCOUNT_ISSUED' && isOverdue(view)) return 'ACCOUNT_OVERDUE';
  if (['PAID', 'PARTIAL_CANCELLED'].includes(view.status) && view.cancellations?.some(isUnderWay)) return 'CANCELLING';
  if (view.status !== 'PENDING') return view.status;
  if (failure) return isExpired(orderId) ? 'EXPIRED' : kindOfFailure(failure);
  if (paid) return watching ? 'CHECKING' : 'SILENT';
  return isExpired(orderId) ? 'EXPIRED' : 'UNPAID';
}

// ----------------------------------------------------------------------------------------------------- coming back

/**
 * Call once. Takes up the order of a phone that returns from paying, of a tab that was closed or of a page that was
 * reloaded. `handlers.result` is told of it and of all that follows; `handlers.retrying` when an answer is late.
 * Says which it was: `returned`, `reopened`, or nothing.
 */
export function start(handlers) {
  page = handlers;
  const revive = () => {
    if (result && !result.open && !ENDED.includes(result.telling)) watch();
  };
  // Back from the bank's app, or out of the tunnel: look now, not at the next beat.
  document.addEventListener('visibilitychange', () => document.hidden || revive());
  addEventListener('online', revive);
  // The phone's back button can bring this page back as it was, its payment window gone.
  addEventListener('pageshow', ({ persisted }) => persisted && result?.open && settle(result.orderId, { paid: false }));

  const query = Object.fromEntries(new URLSearchParams(location.search));
  const returned = Object.values(windows).map((opened) => opened.returned(query)).find(({ orderId }) => orderId);
  if (returned) {
    // The address must not be paid by twice, nor be shared with what it carries.
    history.replaceState(null, '', location.pathname);
    // Anybody can write a link: its words are shown only for an order this browser made.
    const message = knownOrder(returned.orderId) ? returned.message : undefined;
    settle(returned.orderId, { ...returned, message });
    return 'returned';
  }
  const [latest] = kept.orders.get();
  if (!latest || latest.told) return undefined;
  reopen();
  return 'reopened';
}

/** Whether this browser knows of an order to look at again. */
export const hasOrder = () => kept.orders.get().length > 0;

/** Looks at the latest order again. Not before `start`. */
export const reopen = () => settle(kept.orders.get()[0].orderId, { paid: false });
