/**
 * Where the shop finds its API and PortOne.
 *
 * These are the values for production; the local system answers `/config.js` itself, in this same shape.
 *
 * - `apiBase`: the API's address without a slash at the end; empty when it is this page's own origin.
 * - `portoneSdk`: PortOne's V2 browser SDK.
 * - `simulatorConsole`: only on the local system; shows a strip that says no money moves, with a link.
 */
export const config = {
  apiBase: '',
  portoneSdk: 'https://cdn.portone.io/v2/browser-sdk.js',
};
