/** A page without a script of its own, the list of examples, with checkout.js in it as `checkout`: to ask the module itself. */
import { test } from 'node:test';
import { DESKTOP, readOrder } from './buyer.mjs';
import { system } from './system.mjs';

/** What `pay` is called with, unless a story says otherwise. */
export const ORDER = { items: [{ productId: 'sticker', quantity: 1 }], customer: { name: '홍길동', email: 'buyer@example.com', phone: '01012345678' } };

/** Where it is, and where phones return to. */
export const PAGE = 'checkout/examples/';

export function bareStory(rule, options, tell) {
  test(rule, { timeout: 120_000 }, async () => {
    const context = await system.browser.newContext({ locale: 'ko-KR', ...DESKTOP, ...options });
    context.setDefaultTimeout(25_000);
    try {
      const bare = new Bare(context, Boolean(options.isMobile));
      await bare.open();
      await tell(bare);
    } finally {
      await context.close();
    }
  });
}

export class Bare {
  /** Every request to the API, from all tabs: `{method, path, key, trace, body}`. */
  calls = [];

  constructor(context, onPhone) {
    this.context = context;
    this.onPhone = onPhone;
    context.on('request', (request) => {
      const { pathname, origin } = new URL(request.url());
      if (`${origin}/` !== system.url || !/^\/(orders|payments|products)/.test(pathname)) return;
      const headers = request.headers();
      this.calls.push({ method: request.method(), path: pathname, key: headers['idempotency-key'], trace: headers.traceparent, body: request.postDataJSON() });
    });
  }

  /** A new tab, which is the one meant from then on. Nothing is taken up unless `resume` is called. */
  async open(query = '', options = {}) {
    this.page = await this.context.newPage();
    await this.page.goto(`${system.url}${PAGE}${query}`);
    await this.load(options);
    return this.page;
  }

  /** The module in this tab, as after a navigation. `quiet`: nobody listens. */
  load({ quiet = false, apiBase = '' } = {}) {
    return this.page.evaluate(async ([sdks, silent]) => {
      const { createCheckout } = await import('/checkout/checkout.js');
      window.heard = [];
      window.checkout = createCheckout(sdks);
      if (!silent) window.checkout.subscribe((result) => window.heard.push(result.outcome));
    }, [{ ...system.config, apiBase }, quiet]);
  }

  /** Calls a function of the module and goes on; `answer` has what came of it. */
  begin(name, ...args) {
    return this.page.evaluate(([called, given]) => {
      window.answer = undefined;
      window.checkout[called](...given).then(
        (result) => { window.answer = { result }; },
        (error) => { window.answer = { error: { name: error.name, ...error, code: error.code } }; },
      );
    }, [name, args]);
  }

  pay(order = ORDER, options = {}) {
    return this.begin('pay', order, options);
  }

  /** What the last call came to: `{result}` or `{error}`. */
  async answer() {
    return (await this.page.waitForFunction(() => window.answer)).jsonValue();
  }

  /** The result of the last call. */
  async result() {
    const { result, error } = await this.answer();
    if (error) throw new Error(`rejected: ${JSON.stringify(error)}`);
    return result;
  }

  /** A button of PortOne's window. */
  window(action, page = this.page) {
    const place = this.onPhone ? page : page.frameLocator('iframe');
    return place.locator(`body:has(#payment-id:not(:empty)) [data-action="${action}"]`);
  }

  /** Stands in for PortOne's script: its window answers this at once. */
  answersAtOnce(response) {
    return this.page.evaluate((said) => {
      window.PortOne = { requestPayment: async ({ paymentId }) => ({ paymentId, ...said }) };
    }, response);
  }

  stored() {
    return this.page.evaluate(() => JSON.parse(localStorage.getItem('checkout')));
  }

  async orderNow() {
    const [known] = (await this.stored()).orders;
    return (await readOrder(known)).body;
  }

  posts(path) {
    return this.calls.filter((call) => call.method === 'POST' && call.path === path);
  }

  looks() {
    return this.calls.filter((call) => call.method === 'GET' && call.path.startsWith('/orders/'));
  }
}

/** An answer of the API that says "not now". */
export const busy = (retryAfter) => ({
  status: 503,
  headers: { 'Retry-After': String(retryAfter) },
  contentType: 'application/problem+json',
  json: { status: 503, code: 'payment-gateway-unavailable', retryable: true, requestId: 'r' },
});
