// @ts-expect-error no file here, but an address: the local system answers it
import { config as local } from '/config.js';

/**
 * Where the API and PortOne's scripts are. In a shop of your own the values stand here.
 *
 * @type {import('../checkout.js').CheckoutOptions}
 */
export const config = local;
