/** Why a call gave no result; `code` says which of a few cases it is, and the rest are its facts. */
export class CheckoutError extends Error {
  /** @param {string} code @param {Record<string, unknown>} [facts] */
  constructor(code, { cause, ...facts } = {}) {
    super(code, { cause });
    Object.assign(this, { name: 'CheckoutError', code, ...facts });
  }
}
