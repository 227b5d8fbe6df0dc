/**
 * Waits so many milliseconds, or rejects when `signal` aborts. With `wakes`, a page that is shown again or back online
 * looks now and not at the next beat.
 *
 * @param {number} ms @param {AbortSignal} [signal] @param {boolean} [wakes]
 * @returns {Promise<unknown>}
 */
export function pause(ms, signal, wakes) {
  const over = new AbortController();
  const on = (target, type, then) => target?.addEventListener(type, then, { signal: over.signal });
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    setTimeout(resolve, ms);
    on(signal, 'abort', () => reject(signal?.reason));
    if (!wakes) return;
    on(globalThis, 'online', resolve);
    on(document, 'visibilitychange', () => document.hidden || resolve(undefined));
  }).finally(() => over.abort());
}
