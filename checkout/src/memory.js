/**
 * What outlives the page: `checkout {content, key, trace, at, orderId?}`, the one under way, and `orders {orderId,
 * orderToken, until, trace, told, claim?}`, the last ones, newest first. Nobody's name, address or basket.
 *
 * Where storage is blocked or full this page still sells; it only forgets on a reload. What somebody else has put there
 * counts as nothing.
 *
 * @param {Pick<Storage, 'getItem' | 'setItem'> | undefined} storage @param {string} name
 */
export function createMemory(storage, name) {
  const ORDERS_MAX = 5;
  let fallback;

  /** @returns {{ checkout: any, orders: any[] }} */
  function kept() {
    try {
      // Even to name `localStorage` may throw.
      const { checkout, orders } = fallback ?? JSON.parse((storage ?? localStorage).getItem(name) ?? '');
      return { checkout, orders: orders.filter(({ orderId }) => orderId) };
    } catch {
      return { checkout: null, orders: [] };
    }
  }

  function keep(news) {
    const all = { ...kept(), ...news };
    try {
      (storage ?? localStorage).setItem(name, JSON.stringify(all));
    } catch {
      fallback = all;
    }
  }

  const known = (orderId) => kept().orders.find((order) => order.orderId === orderId);
  const others = (orderId) => kept().orders.filter((order) => order.orderId !== orderId);

  return {
    known,
    checkout: () => kept().checkout,
    latest: () => kept().orders[0],
    keepCheckout: (checkout) => keep({ checkout }),
    remember: (orderId, news) => keep({ orders: [{ ...known(orderId), orderId, ...news }, ...others(orderId)].slice(0, ORDERS_MAX) }),
    forget: (orderId) => keep({ orders: others(orderId) }),
    /** How long it may be paid for is measured on this device's own clock, which need not agree with the server's. */
    isExpired: (orderId) => Date.now() > (known(orderId)?.until ?? Infinity),
  };
}

/** So many random bytes, in hexadecimal. Not `randomUUID`, which a page without https does not have. */
export const random = (bytes) => Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Tells contents apart without keeping them. Two that collide are refused by the API, not paid for. */
export function digest(text) {
  let [a, b] = [0, text.length];
  for (const char of text) {
    a = Math.imul(a ^ char.codePointAt(0), 0x9e3779b1);
    b = Math.imul(b ^ a ^ (a >>> 15), 0x5f356495);
  }
  return `${a >>> 0}.${b >>> 0}`;
}
