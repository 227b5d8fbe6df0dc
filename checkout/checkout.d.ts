/**
 * Pays an order through PortOne and says how it ended.
 *
 * ```js
 * const checkout = createCheckout({ apiBase: 'https://api.shop.example', portoneSdk: 'https://cdn.portone.io/v2/browser-sdk.js' });
 * const result = await checkout.pay({ items: [{ productId: 'shoes', quantity: 1 }], customer: { name: '홍길동' } });
 * if (result.outcome === 'PAID') thank(result.order);
 * ```
 *
 * Every function may be called again at any time. What a repetition does stands with each.
 */
export function createCheckout(options: CheckoutOptions): Checkout;

export interface CheckoutOptions {
  /** The API's address without a slash at the end. Empty (the default): this page's own origin. */
  apiBase?: string;
  /** The script of PortOne V2. Not needed where the page loads it by itself. */
  portoneSdk?: string;
  /** The script of PortOne V1 (Iamport), for orders with `sdk: 'v1'`, and the 고객사 식별코드 for its `IMP.init`. */
  portoneV1Sdk?: string;
  portoneV1Code?: string;
  /**
   * Where a phone returns to after paying; call `resume` there. Its origin must be one of the API's ALLOWED_ORIGINS.
   * This page without its query by default. Nothing in an address can change it.
   *
   * A phone may return in another browser than the one that ordered, and the buyer of a virtual account must see the
   * account there. So an order with `payMethod: 'VIRTUAL_ACCOUNT'` gives its token to the fragment of this address:
   * `#orderToken=…`, after a fragment of your own `&orderToken=…`. `resume` takes it out again.
   */
  redirectUrl?: string;
  /**
   * Where keys and tokens are kept, under `storageKey`; `localStorage` by default. If it throws, the page itself
   * remembers until it is reloaded. No name, address or basket is kept.
   */
  storage?: Pick<Storage, 'getItem' | 'setItem'>;
  /** `checkout` by default. Two shops on one origin need two. */
  storageKey?: string;
  /** An answer is late or lost, and is asked for again by itself. */
  onRetry?: (why: CheckoutError) => void;
}

export interface Checkout {
  /**
   * Makes the order and opens the payment window. Resolves when there is something to tell, at the latest about two
   * minutes after the window has closed; never rejects once the window was open, except by `signal`.
   *
   * With `total`, the price that the buyer was shown, in minor units, another price rejects with `price-changed`.
   *
   * On a phone the page may leave for PortOne instead and this never resolves: `resume` does, on the page that it
   * returns to.
   *
   * The result is about the order that the window was opened for, whatever the window responds. While the window is
   * open the order is read at growing intervals and when the page is shown again: a window may never respond, and a
   * payment that the webhook reports resolves to `PAID` without it.
   *
   * **Again:** while the window is about to open, the same content gets the same promise. After that, also in another
   * tab or after a lost answer, the same content is the same order, by its Idempotency-Key, until it is paid or expires:
   * the order is synced with PortOne first, and one that was paid meanwhile resolves to `PAID` and opens no window. So
   * is it while the window is open, which may be gone without a response: the window opens again for the same order,
   * and the promises of both calls get the same result. Other content is another order.
   *
   * @throws {CheckoutError} and then this call has charged nothing.
   * @throws `signal.reason` when aborted. The order is not read any more. PortOne's window stays as it is, since nothing
   * can close it, and `check` or `resume` tell what came of it.
   */
  pay(order: OrderRequest, options?: PayOptions): Promise<Result>;

  /**
   * Call once when a page opens. Takes up the order of a phone that returns from PortOne, and takes what PortOne added
   * and an order's token out of the address, before it returns; or the order of a tab that was closed or reloaded.
   * Resolves as `pay` does, and to null when there is nothing to take up.
   *
   * Call it before other scripts read the address. An order's token shows the order in this browser too, and no link
   * can put its own words on the page.
   *
   * **Again:** the address is clean by then. An order that has not come to a result is looked at again; one whose
   * result was told resolves to null.
   */
  resume(options?: CallOptions): Promise<Result | null>;

  /**
   * Looks at an order now, the last one by default, and resolves as `pay` does; to null when this browser knows none.
   * A `pay` that still waits for its window stops waiting and resolves to the same.
   *
   * **Again:** only looks. The last call answers for all that were under way.
   */
  check(options?: CallOptions & { orderId?: string }): Promise<Result | null>;

  /**
   * Loads the payment script ahead of time, `v2` by default, so that the window opens at once. `pay` does it otherwise.
   *
   * **Again:** loads once; a load that failed is tried again.
   * @throws {CheckoutError} `window-unavailable`
   */
  load(sdk?: Sdk): Promise<void>;

  /** What is for sale. **Again:** reads again. @throws {CheckoutError} */
  products(options?: CallOptions): Promise<Product[]>;

  /**
   * Hears every result, also those in between (`OPEN`, `CHECKING`), and what comes after a promise has resolved: while
   * somebody listens, an order that has not ended is looked at again, less and less often, and a deposit or a refund as
   * long as the page is there. Answers how to stop.
   *
   * **Again:** the same function hears once.
   */
  subscribe(listener: (result: Result) => void): () => void;

  /** What was told last, the same object until something else is told. */
  readonly result: Result | null;

  /** The order this browser made last, for `check`. */
  readonly lastOrderId: string | null;
}

export interface CallOptions {
  /** Stops asking and waiting; the promise rejects with its reason. */
  signal?: AbortSignal;
}

export interface PayOptions extends CallOptions {
  total?: number;
}

// ------------------------------------------------------------------------------------------------------------- results

/** What is known of an order. Tell them apart by `outcome`. */
export type Result =
  | Ended<'PAID', 'PAID'>
  /** Part of the money went back. */
  | Ended<'PARTIAL_CANCELLED', 'PARTIAL_CANCELLED'>
  /** All of the money went back, or the order was closed. */
  | Ended<'CANCELLED', 'CANCELLED'>
  /** Paid; a cancellation was asked for and is not decided. */
  | Told<'CANCELLING', 'PAID' | 'PARTIAL_CANCELLED'>
  /** Money arrived that does not match; all of it goes back. */
  | Ended<'REJECTED', 'REJECTED'>
  /** Closed unpaid, or too late to be paid by this device's clock. */
  | Ended<'EXPIRED', 'EXPIRED' | 'PENDING'>
  /** The API knows no such order, or not for this browser. */
  | (Base<'NOT_FOUND'> & { order?: undefined; payable: false; final: true })
  /** Waits for the transfer to `order.virtualAccount`. */
  | (Told<'VIRTUAL_ACCOUNT_ISSUED', 'VIRTUAL_ACCOUNT_ISSUED'> & { order: { virtualAccount?: VirtualAccount } })
  /** The time to transfer has passed. */
  | Told<'ACCOUNT_OVERDUE', 'VIRTUAL_ACCOUNT_ISSUED'>
  /** The PG has not decided. */
  | Told<'PAY_PENDING', 'PAY_PENDING'>
  /** Not paid; nothing is known of an attempt. */
  | Payable<'UNPAID'>
  /** The buyer closed the window. */
  | (Payable<'CLOSED'> & { failure: Failure })
  | (Payable<'DECLINED'> & { failure: Failure })
  /** PortOne did not open its window. */
  | (Payable<'WINDOW_FAILED'> & { failure: Failure })
  /** The amount was changed on the way to PortOne, which refused. This order is not paid any more; `pay` makes a new one. */
  | (Told<'TAMPERED', 'PENDING'> & { failure: Failure })
  /** The payment window is open, or is gone without a response: `pay` syncs the order and opens it again. */
  | Told<'OPEN', 'PENDING'>
  /** Asking. */
  | (Base<'CHECKING'> & { order?: OrderView; payable: false; final: false })
  /** The window said paid and nothing has confirmed it within two minutes. Nobody should pay again now. */
  | Told<'UNCONFIRMED', 'PENDING'>
  /** The API did not answer: nothing is known, and it may be paid. */
  | (Base<'UNREACHABLE'> & { order?: undefined; payable: false; final: false })
  /** A status that this version does not know; it stands in `order.status`. */
  | (Base<'UNRECOGNIZED'> & { order: Omit<OrderView, 'status'> & { status: string }; payable: false; final: false });

export type Outcome = Result['outcome'];

interface Base<O extends string> {
  readonly outcome: O;
  readonly orderId: string;
  /** What PortOne or the PG said of the last attempt. Text from outside: show it as text. */
  readonly failure?: Failure;
  /** Another look follows by itself. */
  readonly watching: boolean;
}

type Told<O extends string, S extends OrderStatus> = Base<O> & {
  readonly order: OrderView & { status: S };
  readonly payable: false;
  /** Nothing more is to come. */
  readonly final: false;
};

type Ended<O extends string, S extends OrderStatus> = Base<O> & { readonly order: OrderView & { status: S }; readonly payable: false; readonly final: true };

type Payable<O extends string> = Base<O> & {
  readonly order: OrderView & { status: 'PENDING' };
  /** `pay` with the same content opens the window for this same order. */
  readonly payable: true;
  readonly final: false;
};

export interface Failure {
  code: string;
  message?: string;
  pgCode?: string;
}

// -------------------------------------------------------------------------------------------------------------- errors

/** Why a call gave no result. What the API said stands in `problem`, as RFC 9457 has it. */
export class CheckoutError extends Error {
  private constructor();
  readonly code: CheckoutErrorCode;
  /** With `refused` and `unavailable`: the answer's status, and its body. */
  readonly status?: number;
  readonly problem?: Problem;
  /** Seconds, where the API named them. */
  readonly retryAfter?: number;
  /** With `price-changed`: what the order comes to now. */
  readonly total?: number;
}

export type CheckoutErrorCode =
  /** The API said no; the same again is refused again. `problem.errors` has the fields. */
  | 'refused'
  /** Not now: busy, throttled or down, also after trying again. The same later is the same order. */
  | 'unavailable'
  /** No answer came. The same later is the same order. */
  | 'unreachable'
  | 'offline'
  /** PortOne's script did not load. Nothing was ordered. */
  | 'window-unavailable'
  /** The order comes to `total`, which is not what the buyer was shown. It is left to expire. */
  | 'price-changed';

export interface Problem {
  status: number;
  /** Stable: match on it. */
  code?: string;
  type?: string;
  title?: string;
  /** Safe to show, in the language of the document. */
  detail?: string;
  requestId?: string;
  retryable?: boolean;
  errors?: { pointer: string; code: string; detail: string }[];
}

// ------------------------------------------------------------------------------------------------------ orders, as sent

export interface OrderRequest {
  items: { productId: string; quantity: number }[];
  customer: { name: string; email?: string; phone?: string };
  /** `CARD` by default. */
  payMethod?: PayMethod;
  /** Which window: `v2` by default. */
  sdk?: Sdk;
}

export type Sdk = 'v2' | 'v1';

export type PayMethod =
  | 'CARD'
  | 'VIRTUAL_ACCOUNT'
  | 'TRANSFER'
  | 'MOBILE'
  | 'GIFT_CERTIFICATE'
  | 'EASY_PAY'
  | 'PAYPAL'
  | 'ALIPAY'
  | 'CONVENIENCE_STORE'
  | 'ALIPAY_PLUS';

// ------------------------------------------------------------------------------------------------------ orders, as told

export interface Product {
  productId: string;
  name: string;
  price: number;
  currency: string;
  available: boolean;
}

export type OrderStatus =
  | 'PENDING'
  | 'PAY_PENDING'
  | 'VIRTUAL_ACCOUNT_ISSUED'
  | 'PAID'
  | 'PARTIAL_CANCELLED'
  | 'CANCELLED'
  | 'EXPIRED'
  | 'REJECTED';

/**
 * Money is an integer in the currency's minor unit. A browser that did not make the order sees `orderId`, `status` and
 * `amount` of it, and on its way back from a mismatch nothing but the first two.
 */
export interface OrderView {
  orderId: string;
  status: OrderStatus;
  amount?: { total: number; currency: string; paid?: number; cancelled?: number };
  orderName?: string;
  items?: { productId: string; name: string; quantity: number; unitPrice: number; amount: number }[];
  createdAt?: string;
  updatedAt?: string;
  expiresAt?: string;
  paidAt?: string;
  virtualAccount?: VirtualAccount;
  lastFailure?: Failure;
  cancellations?: { id: string; status: 'SUCCEEDED' | 'REQUESTED' | 'UNKNOWN' | 'FAILED'; amount: number }[];
}

export interface VirtualAccount {
  bank?: string;
  accountNumber: string;
  holder?: string;
  expiresAt?: string;
}
