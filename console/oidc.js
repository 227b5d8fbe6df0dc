/** Signing in at an OpenID provider: authorization code with PKCE (RFC 7636), for a page without a server of its own. */
const KEPT = 'console.signing-in';

const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
const chance = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
/** This page's address, which the provider returns to. */
const here = () => location.origin + location.pathname;

async function provider({ issuer }) {
  const answer = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}

/** Leaves for the provider's own page. */
export async function leave(signIn) {
  const { authorization_endpoint } = await provider(signIn);
  const [verifier, state] = [chance(), chance()];
  sessionStorage.setItem(KEPT, JSON.stringify({ verifier, state, view: location.hash }));
  const challenge = base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
  const url = new URL(authorization_endpoint);
  const asked = {
    response_type: 'code', client_id: signIn.clientId, redirect_uri: here(), scope: signIn.scope ?? 'openid',
    state, code_challenge: challenge, code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
  location.assign(url);
}

/** The token, if this is the way back from the provider; nothing if it is not. */
export async function comeBack(signIn) {
  const given = new URLSearchParams(location.search);
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? 'null');
  if (!kept || !given.has('state')) return undefined;
  sessionStorage.removeItem(KEPT);
  history.replaceState(null, '', here() + kept.view);
  // Somebody else's answer, or a refusal.
  if (given.get('state') !== kept.state || !given.has('code')) throw new Error(given.get('error') ?? 'state');
  const { token_endpoint } = await provider(signIn);
  const body = new URLSearchParams({
    grant_type: 'authorization_code', code: given.get('code'), client_id: signIn.clientId, redirect_uri: here(), code_verifier: kept.verifier,
  });
  const answer = await fetch(token_endpoint, { method: 'POST', body });
  const token = answer.ok && (await answer.json())[signIn.token ?? 'access_token'];
  if (!token) throw new Error(`${answer.status}`);
  return token;
}
