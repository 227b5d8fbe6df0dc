/**
 * Where the shop finds its API and PortOne.
 *
 * These are the values for production; the local system answers `/config.js` itself, in this same shape.
 *
 * - `apiBase`: the API's address without a slash at the end; empty when it is this page's own origin.
 * - `portoneSdk`: PortOne's V2 browser SDK.
 * - `portoneV1Sdk`, `portoneV1Code`: V1's (Iamport's) script, and the 고객사 식별코드 that its `IMP.init` takes. A shop
 *   of one generation leaves out the other's script, and nothing offers a choice any more.
 * - `simulatorConsole`: only on the local system; shows a strip that says no money moves, with a link.
 */
export const config = {
  apiBase: '',
  portoneSdk: 'https://cdn.portone.io/v2/browser-sdk.js',
  portoneV1Sdk: 'https://cdn.iamport.kr/v1/iamport.js',
  portoneV1Code: 'imp00000000',
};
