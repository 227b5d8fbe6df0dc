/**
 * Order, pay through PortOne, find out what came of it. What each call promises is in checkout.d.ts.
 *
 * It knows no price and believes no window: only the API, which asks PortOne itself, says that an order is paid. Any
 * answer may get lost and any tab may close, so what a repetition needs is kept before it is needed: the key of a
 * checkout, then the order's id and token before the window opens, then what verify is to be asked with.
 */
import { createApi } from './api.js';
import { CheckoutError } from './error.js';
import { createMemory, digest, random } from './memory.js';
import { FINAL, OF_BANKS, PAYABLE, TOLD, UNDECIDED, outcomeOf } from './outcome.js';
import { pause } from './pause.js';
import { carrying, takeReturn, windows } from './windows.js';

export { CheckoutError };

/** Seconds between looks: quick while a webhook is likely on its way, then patient, then no more. */
const BEATS = [1, 1, 2, 3, 5, 8, 13, 20, 30, 30];

/** Further and further apart, without an end: for what a bank or an open window decides. */
function* growingBeats() {
  for (let seconds = 2; ; seconds = Math.min(seconds * 1.5, 60)) yield seconds;
}

/** How long a window has to report by itself what a webhook has reported. */
const REPORT_MS = 2_000;

/** A key whose answer never came is not used for longer: the order that it may have made has expired or soon does. */
const UNANSWERED_MAX_MS = 20 * 60_000;

/** @type {typeof import('../checkout.js').createCheckout} */
export function createCheckout({ apiBase = '', redirectUrl, storage, storageKey = 'checkout', onRetry, ...sdks }) {
  const call = createApi(apiBase, onRetry);
  const memory = createMemory(storage, storageKey);
  const { known, isExpired } = memory;
  const listeners = new Set();

  /** What is known of the order in hand, and as the page hears it. */
  let held = /** @type {any} */ ({});
  let result = /** @type {any} */ (null);

  /** Each new question gets a turn. What an older one still finds out is dropped; its caller gets the newer answer. */
  let turn = 0;
  let work;
  const begin = (job) => (work = job((turn += 1)));

  /** The content whose window is about to open, and what makes the last attempt stop waiting for its window. */
  let paying;
  let letGo;

  // ---------------------------------------------------------------------------------------------------------- the API

  const about = async (orderId, path, more) => {
    const { orderToken: token, trace } = known(orderId) ?? {};
    return (await call(path, { token, trace, ...more }))[0];
  };

  const read = (orderId, signal, tries) => about(orderId, `/orders/${encodeURIComponent(orderId)}`, { signal, tries });

  const verify = (orderId, body, signal, tries) => about(orderId, '/payments/verify', { body, signal, tries });

  /** The order that this page made last: a declined payment is tried again without asking for it. */
  let made;

  /** Makes the order, or gets the one that this content has made before: here, in another tab, by an answer that got lost. */
  async function create(order, signal) {
    const body = { ...order, redirectUrl: redirectUrl ?? location.origin + location.pathname };
    const content = digest(JSON.stringify(body));
    let checkout = memory.checkout();
    const fresh = checkout?.orderId ? !isExpired(checkout.orderId) : Date.now() < checkout?.at + UNANSWERED_MAX_MS;
    if (checkout?.content !== content || !fresh) checkout = { content, key: random(16), trace: random(16), at: Date.now() };
    memory.keepCheckout(checkout);

    const { key, trace } = checkout;
    if (made?.key === key) return [made.answer, true];
    const [answer, again] = await call('/orders', { body, key, trace, signal }).catch((error) => {
      if (error.problem?.code === 'idempotency-key-reused') memory.keepCheckout(null);
      throw error;
    });
    const { orderId, orderToken, createdAt, expiresAt } = answer;
    const until = known(orderId)?.until ?? Date.now() + Date.parse(expiresAt) - Date.parse(createdAt);
    memory.remember(orderId, { orderToken, until, trace, told: false });
    memory.keepCheckout({ ...checkout, orderId });
    made = { key, answer };
    return [answer, again];
  }

  // ---------------------------------------------------------------------------------------------- from order to result

  const outcomeNow = (news) => outcomeOf(news, known(news.orderId)?.until, Date.now());

  function tell(news) {
    held = news;
    const { orderId, view: order, failure, watching = false } = news;
    const outcome = outcomeNow(news);
    result = Object.freeze({ outcome, orderId, order, failure, watching, payable: PAYABLE.includes(outcome), final: FINAL.includes(outcome) });
    for (const listener of listeners) {
      try {
        listener(result);
      } catch (error) {
        // A page that cannot draw is no reason to lose a payment.
        reportError(error);
      }
    }
    return result;
  }

  /**
   * Has the API sync the order with PortOne; if that answer is lost, what the webhook has written will do. A `claim`
   * that is left over is still to be verified.
   */
  async function sync(mine, orderId, signal, said) {
    let claim = said ?? known(orderId)?.claim ?? { paymentId: orderId };
    const keepClaim = () => known(orderId) && memory.remember(orderId, { claim });
    // Should this tab close before the answer, the next one brings it.
    keepClaim();

    let view;
    let notFound;
    try {
      view = await verify(orderId, claim, signal, 3).catch((error) => {
        if (error.code !== 'refused' || !claim.imp_uid) throw error;
        // What a window adds to the order's ID may be wrong. The order is verified without it.
        return verify(orderId, (claim = { paymentId: orderId }), signal, 3);
      });
      claim = undefined;
    } catch (error) {
      signal?.throwIfAborted();
      notFound = error.status === 404;
      if (error.code === 'refused') claim = undefined;
      if (!notFound) view = await read(orderId, signal, 2).catch(() => undefined);
      if (error.problem?.code === 'payment-mismatch') view ??= { orderId, status: 'REJECTED' };
    }
    signal?.throwIfAborted();
    if (mine === turn) keepClaim();
    return { orderId, view, notFound, claim };
  }

  /** Finds out how the payment ended, whatever the window said: a failed one may have gone through and the other way round. */
  async function settle(mine, orderId, said, signal) {
    const { code, message, pgCode, claim, paid = !code || code === 'PaymentAlreadyPaid' } = said;
    tell({ orderId, view: held.orderId === orderId ? held.view : undefined, paid, claim, asking: true, watching: true });
    const seen = await sync(mine, orderId, signal, claim);
    if (mine !== turn) return work;
    const failure = code ? { code, message, pgCode } : seen.view?.lastFailure;
    return conclude(mine, { ...seen, paid, failure: paid ? undefined : failure }, signal);
  }

  /** Tells what is known of the order now, tidies up after what has ended, and watches what has not. */
  function conclude(mine, news, signal) {
    const { orderId } = news;
    const outcome = outcomeNow({ ...news, watching: true });
    const waits = UNDECIDED.includes(outcome);
    const told = TOLD.includes(outcome);
    const watching = Boolean(known(orderId)) && !FINAL.includes(outcome) && (waits || listeners.size > 0);

    // A finished checkout gives up its key, or the next order of the same things would be this one again.
    if (memory.checkout()?.orderId === orderId && (told || outcome === 'TAMPERED')) memory.keepCheckout(null);
    // The next visit starts with the shop again, not with an order whose outcome the buyer has seen.
    if (outcome === 'NOT_FOUND') memory.forget(orderId);
    else if (known(orderId)) memory.remember(orderId, { told });

    const answer = tell({ ...news, watching });
    if (!watching || mine !== turn) return answer;
    const watched = watch(mine, signal);
    if (waits) return watched;
    // Nobody waits for it: that it was aborted is nobody's error.
    watched.catch(() => {});
    return answer;
  }

  /** What makes an order worth telling anew. */
  const stageOf = (view) => view && JSON.stringify([view.status, view.cancellations]);

  /** Looks again and again until the order moves; what no bank decides is given up after the last beat. */
  async function watch(mine, signal) {
    const { orderId, view, claim, paid, failure } = held;
    const { outcome } = result;
    // As long as verify has not answered it is what is asked: the webhook may be lost too.
    const look = async () => (claim && await verify(orderId, claim, signal, 1).catch(() => undefined)) || read(orderId, signal, 1);
    const ofBanks = OF_BANKS.includes(outcome);
    for (const seconds of ofBanks ? growingBeats() : BEATS) {
      await pause(seconds * 1000, signal, true);
      if (mine !== turn) return work;
      // Nobody sees a page in the background; it wakes when it is shown.
      if (ofBanks && document.hidden) continue;
      const seen = await look().catch(() => undefined);
      signal?.throwIfAborted();
      if (mine !== turn) return work;
      if (seen && stageOf(seen) !== stageOf(view)) {
        // What the window said counts until the first look; after that an order that moved tells its own story.
        const said = view ? { failure: seen.lastFailure } : { paid, failure };
        return conclude(mine, { ...said, orderId, view: seen }, signal);
      }
      // Time alone may have moved it.
      if (outcomeNow(held) !== outcome) return conclude(mine, held, signal);
    }
    return tell({ ...held, watching: false });
  }

  // -------------------------------------------------------------------------------------------------- what a page calls

  /** Asks about an order, and lets go of a window that is open. */
  function ask(orderId, said, signal) {
    const answer = begin((mine) => settle(mine, orderId, said, signal));
    paying = undefined;
    letGo?.();
    return answer;
  }

  const check = async ({ orderId = memory.latest()?.orderId, signal } = /** @type {any} */ ({})) => {
    const { claim, paid = false } = held.orderId === orderId ? held : {};
    return orderId ? ask(orderId, { claim, paid }, signal) : null;
  };

  /** From the script to the window's answer, and on. */
  async function attempt(mine, order, total, signal) {
    const { load, pay } = windows[order.sdk ?? 'v2'];
    await load(sdks);
    const [answer, again] = await create(order, signal);
    const { orderId } = answer;
    if (total !== undefined && answer.amount.total !== total) {
      // Nobody pays an amount he has not seen: this order is left to expire, and the next call makes another.
      memory.keepCheckout(null);
      throw new CheckoutError('price-changed', { total: answer.amount.total });
    }
    // Made before, so perhaps paid before, by a window that never responds.
    const seen = again ? await sync(mine, orderId, signal) : { orderId, view: answer };
    if (mine !== turn) return work;
    if (seen.view?.status !== 'PENDING' || isExpired(orderId)) return conclude(mine, seen, signal);

    // Only the account of a deposit is of use in another browser: all other orders keep their token here.
    const payment = order.payMethod === 'VIRTUAL_ACCOUNT' ? carrying(answer.payment, answer.orderToken) : answer.payment;
    let open = true;
    // It may be gone without a response: from here on a press counts, and the order is looked at.
    paying = undefined;
    tell({ orderId, view: answer, open, watching: open });
    const look = async () => {
      for (const seconds of growingBeats()) {
        await pause(seconds * 1000, signal, true);
        if (!open) return;
        if (document.hidden) continue;
        const view = await read(orderId, signal, 1).catch(() => answer);
        if (view.status === 'PENDING') continue;
        await pause(REPORT_MS, signal);
        return { view };
      }
    };
    const said = await new Promise((resolve, reject) => {
      letGo = (said = { paid: false }) => resolve(said);
      // The phone's back button can bring this page back as it was, its payment window gone.
      addEventListener('pageshow', ({ persisted }) => persisted && resolve({ paid: false }), { once: true });
      // An earlier window of the same order may be the one that is paid in: its token counts then.
      pay(payment).then((said) => (said.code || held.orderId !== orderId ? resolve : letGo)(said));
      // It rejects when `signal` aborts.
      look().then(resolve, reject);
    });
    open = false;
    if (mine !== turn) return work;
    return said.view ? conclude(mine, { orderId, view: said.view }, signal) : settle(mine, orderId, said, signal);
  }

  return {
    products: async ({ signal } = {}) => (await call('/products', { signal }))[0].products,

    load: async (sdk = 'v2') => void (await windows[sdk].load(sdks)),

    pay(order, { total, signal } = {}) {
      const content = JSON.stringify(order);
      // The second of two clicks.
      if (paying === content) return work;
      letGo?.();
      paying = content;
      const answer = begin((mine) => attempt(mine, order, total, signal));
      const end = () => {
        if (work === answer) paying = undefined;
      };
      answer.then(end, end);
      return answer;
    },

    check,

    async resume({ signal } = {}) {
      const returned = takeReturn();
      if (!returned) return memory.latest()?.told === false ? check({ signal }) : null;
      // Anybody can write a link: its words count only for an order that this browser made.
      const { orderId, orderToken, code, claim } = returned;
      const own = known(orderId);
      if (!own && orderToken) memory.remember(orderId, { orderToken, trace: random(16), told: false });
      return ask(orderId, own ? returned : { code: code && 'Failed', claim }, signal);
    },

    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },

    get result() {
      return result;
    },

    get lastOrderId() {
      return memory.latest()?.orderId ?? null;
    },
  };
}
