import { CheckoutError } from './error.js';
import { random } from './memory.js';
import { pause } from './pause.js';

/** The API answers within 29 s whatever happens behind it; later than that the answer is lost. */
const ANSWER_MAX_MS = 32_000;

/** Nobody watches a button for longer: better to say "in a moment" and leave it to the buyer. */
const WAIT_MAX_S = 15;

/**
 * Calls the API, and asks again while the answer is lost or "not now". Every call here may be repeated: reads, verify,
 * which only looks, and orders, by their key. Resolves to the answer and whether it is a repeated one.
 *
 * @param {string} apiBase @param {((error: any) => void) | undefined} onRetry
 */
export const createApi = (apiBase, onRetry) =>
  /**
   * @param {string} path
   * @param {{ body?: object, key?: string, token?: string, trace?: string, signal?: AbortSignal, tries?: number }} [call]
   * @returns {Promise<[any, boolean]>}
   */
  async (path, { body, key, token, trace = random(16), signal, tries = 4 } = {}) => {
    // One trace for all that is asked about an order, and a span for each call.
    const headers = { 'Accept-Language': document.documentElement.lang || 'ko', traceparent: `00-${trace}-${random(8)}-01` };
    if (body) headers['Content-Type'] = 'application/json';
    if (key) headers['Idempotency-Key'] = key;
    if (token) headers.Authorization = `Bearer ${token}`;
    const request = { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body) };

    for (let wait = 500; ; wait *= 2) {
      signal?.throwIfAborted();
      const stop = new AbortController();
      const late = setTimeout(() => stop.abort(), ANSWER_MAX_MS);
      const abort = () => stop.abort();
      signal?.addEventListener('abort', abort);
      tries -= 1;
      let failed;
      let asked = 0;
      try {
        const response = await fetch(apiBase + path, { ...request, signal: stop.signal });
        if (response.ok) return [await response.json(), response.headers.has('Idempotent-Replayed')];

        const { status } = response;
        const problem = { status, ...(await response.json().catch(() => {})) };
        const passes = status >= 500 || status === 429 || problem.code === 'request-in-progress';
        // Another origin shows this header only when its CORS answer exposes it; without it the doubling wait holds.
        asked = Number(response.headers.get('Retry-After')) || 0;
        failed = new CheckoutError(passes ? 'unavailable' : 'refused', { status, problem, retryAfter: asked || undefined });
        if (!passes || asked > WAIT_MAX_S) tries = 0;
      } catch (cause) {
        signal?.throwIfAborted();
        failed = new CheckoutError(navigator.onLine ? 'unreachable' : 'offline', { cause });
        if (!navigator.onLine) tries = 0;
      } finally {
        clearTimeout(late);
        signal?.removeEventListener('abort', abort);
      }
      if (tries <= 0) throw failed;
      onRetry?.(failed);
      await pause(Math.max(wait, asked * 1000), signal);
    }
  };
