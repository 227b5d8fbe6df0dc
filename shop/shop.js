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

/** The generation of PortOne's SDK to pay with: a name in `windows`, and the `sdk` of an order. */
export const SDK = 'v2';

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
  /** `{key, content, order?}` of the checkout under way. It holds the buyer's name, so it goes with the tab. */
  checkout: keep('sessionStorage', 'checkout', null),
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

const verifyPayment = (orderId) =>
  call('POST', '/payments/verify', { body: { paymentId: orderId }, token: knownOrder(orderId)?.orderToken, tries: 3 });

/**
 * Makes the order, or gets the one this same content has already made: the key changes only when the content does, or
 * when that order can no longer be paid. The order's id and token are kept before this returns.
 */
async function createOrder(body) {
  const content = JSON.stringify(body);
  let checkout = kept.checkout.get();
  const spent = checkout?.order && isExpired(checkout.order.orderId);
  if (checkout?.content !== content || spent) checkout = { content, key: crypto.randomUUID() };
  kept.checkout.set(checkout);

  const order = await call('POST', '/orders', { body, key: checkout.key });
  kept.checkout.set({ ...checkout, order });
  // How long it may be paid for is measured on this device's own clock, which need not agree with the server's.
  const until = knownOrder(order.orderId)?.until ?? Date.now() + Date.parse(order.expiresAt) - Date.parse(order.createdAt);
  rememberOrder(order.orderId, { orderToken: order.orderToken, until });
  return order;
}

const isExpired = (orderId) => Date.now() > (knownOrder(orderId)?.until ?? Infinity);

/** Whether this tab still has the order to open the payment window with. */
export const isPayable = (orderId) => kept.checkout.get()?.order?.orderId === orderId && !isExpired(orderId);

// ---------------------------------------------------------------------------------------------- the payment window

const scripts = new Map();

/** Loads a script once; a load that failed may be tried again. */
function loadScript(src) {
  if (!scripts.has(src)) {
    const loaded = new Promise((resolve, reject) => {
      document.head.append(Object.assign(document.createElement('script'), { src, onload: resolve, onerror: reject }));
      setTimeout(reject, 15_000);
    });
    scripts.set(src, loaded.catch(() => {
      scripts.delete(src);
      throw new WindowMissing(src);
    }));
  }
  return scripts.get(src);
}

/**
 * One entry per PortOne generation. `load` brings its script; `pay` opens its window with `payment` exactly as the API
 * gave it and resolves to `{code?, message?, pgCode?}`, where no code means that the window reports success. On a phone the
 * page may go away instead, and `start` takes over when it comes back.
 */
const windows = {
  v2: {
    load: () => loadScript(config.portoneSdk),
    async pay(payment) {
      try {
        return (await window.PortOne.requestPayment(payment)) ?? {};
      } catch (error) {
        // What is wrong before the window opens is thrown, with the same members.
        return { code: error.code ?? 'UnknownError', message: error.message };
      }
    },
  },
};

/** Worth calling early, so that the script is there when the buyer presses pay. */
export const loadWindow = () => windows[SDK].load();

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
 * `failure {code, message}` of the last attempt, `paid` when the window claimed success, `open` while it is open.
 */
let result = null;

/**
 * Makes the order and opens the payment window. `agreed` is the total the buyer was shown, in minor units. Throws
 * `Refused`, `PriceChanged`, `WindowMissing` or a network error, and then nothing was paid; otherwise the page is
 * told by `page.result`. Calling it again with the same body is safe.
 */
export async function orderAndPay(body, agreed) {
  await loadWindow();
  const order = await createOrder(body);
  if (order.amount.total !== agreed) {
    // Nobody pays an amount he has not seen: this order is left to expire, and the next press makes one as shown.
    kept.checkout.set(null);
    throw new PriceChanged();
  }
  await pay(order);
}

async function pay(order) {
  tell({ orderId: order.orderId, view: order, open: true });
  await settle(order.orderId, await windows[SDK].pay(order.payment));
}

/** Another attempt at the same order, after making sure that it is still to be paid. */
export async function payAgain() {
  const { order } = kept.checkout.get();
  try {
    const view = await readOrder(order.orderId);
    if (view.status !== 'PENDING' || isExpired(order.orderId)) return conclude(order.orderId, { view });
    await loadWindow();
  } catch (error) {
    const failure = error instanceof WindowMissing ? { code: 'Unavailable' } : undefined;
    return conclude(order.orderId, failure ? { view: order, failure } : {});
  }
  await pay(order);
}

/** The buyer does not want to wait for the next look. */
export const checkAgain = () => settle(result.orderId, { paid: Boolean(result.paid) });

/**
 * Finds out how the payment ended, whatever the window said: a failed one may have gone through and the other way
 * round. Asks the API to re-read PortOne; if that answer is lost, what the webhook has written will do.
 */
async function settle(orderId, { code, message, pgCode, paid = !code }) {
  tell({ orderId, view: result?.orderId === orderId ? result.view : undefined, paid: true, watching: true });
  const claim = { paid, failure: code ? { code, message, pgCode } : undefined };
  conclude(orderId, await verifyPayment(orderId).then(
    (view) => ({ ...claim, view }),
    async (error) => {
      if (error.status === 404) return { notFound: true };
      const rejected = error.problem?.code === 'payment-mismatch' ? { orderId, status: 'REJECTED' } : undefined;
      return { ...claim, view: await readOrder(orderId, 2).catch(() => rejected) };
    },
  ));
}

/** Tells what is known of the order now, tidies up after it when it has ended, and watches it while it has not. */
function conclude(orderId, { view, failure, paid, notFound }) {
  tell({ orderId, view, notFound, paid, failure: failure ?? (paid ? undefined : view?.lastFailure) });
  const { telling } = result;
  const ended = ENDED.includes(telling);
  const bought = ['PAID', 'PARTIAL_CANCELLED', 'VIRTUAL_ACCOUNT_ISSUED'].includes(telling);

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

/** Seconds between looks: quick while a webhook is likely on its way, then patient; a bank transfer takes its time. */
const BEATS = [1, 1, 2, 3, 5, 8, 13, 20, 30, 30];
const BEATS_OF_A_TRANSFER = [2, 3, 5, 10, 15, ...Array(40).fill(30)];

/** Counts what was told, so that a look begun before something newer was told keeps quiet. */
let tellings = 0;

/** Reads the order again and again until it moves; gives up after the last beat. */
async function watch() {
  if (!knownOrder(result.orderId)) return;
  const { orderId, view } = result;
  tell({ ...result, watching: true });
  const mine = tellings;
  for (const seconds of view?.status === 'VIRTUAL_ACCOUNT_ISSUED' ? BEATS_OF_A_TRANSFER : BEATS) {
    await pause(seconds * 1000);
    if (mine !== tellings) return;
    const seen = await readOrder(orderId, 1).catch(() => undefined);
    if (mine !== tellings) return;
    // What the window said counts until the first look; after that an order that moved tells its own story.
    const claim = view ? {} : { paid: result.paid, failure: result.failure };
    if (seen && seen.status !== view?.status) return conclude(orderId, { ...claim, view: seen });
  }
  tell({ ...result, watching: false });
}

function tell(news) {
  tellings += 1;
  result = { ...news, telling: tellingOf(news) };
  page.result(result);
}

/** One word for what is known: an order's status, or what a buyer of a `PENDING` one should hear. */
function tellingOf({ orderId, view, failure, paid, open, watching, notFound }) {
  if (notFound) return 'NOT_FOUND';
  if (open) return 'OPEN';
  if (!view) return paid && watching ? 'CHECKING' : 'UNREACHABLE';
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

  const query = new URLSearchParams(location.search);
  const returned = query.get('paymentId') ?? query.get('payment_id');
  if (returned) {
    // The address must not be paid by twice, nor be shared with what it carries.
    history.replaceState(null, '', location.pathname);
    // Anybody can write a link: its words are shown only for an order this browser made.
    const message = knownOrder(returned) ? query.get('message') ?? undefined : undefined;
    settle(returned, { code: query.get('code') || undefined, message, pgCode: query.get('pgCode') });
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
