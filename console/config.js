/**
 * Where this console finds its API, and how its operators sign in. The one file that differs between deployments; the
 * local system answers `/operator/config.js` itself, in this same shape.
 *
 * - `apiBase`: the API's address without a slash at the end; empty when it is this page's own origin.
 * - `signIn.kind`: `sigv4` for the template's IAM authorizer, `jwt` for a JWT authorizer.
 * - `signIn.region` (sigv4): the API's region; read from `apiBase` if left out.
 * - `signIn.issuer`, `signIn.clientId`, `signIn.scope` (jwt): signing in at an OpenID provider, with code and PKCE. Its
 *   redirect URI is this page's address. Without an issuer a token is pasted.
 * - `signIn.token` (jwt): `access_token`, or `id_token` where the authorizer's audience wants that.
 * - `signIn.credentials` (sigv4): keys to open with. Only for the local system: never write keys of AWS here.
 * - `links`: only on the local system; where else to look.
 */
export const config = {
  apiBase: '',
  signIn: { kind: 'sigv4' },
};
