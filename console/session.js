/**
 * Who works here: temporary keys of AWS, or a token. Kept in this tab only (sessionStorage), and gone with it.
 */
import { config } from './config.js';
import { comeBack, leave } from './oidc.js';
import { sign } from './sigv4.js';

const KEPT = 'console.session';
const { signIn } = config;

export const region = signIn.region ?? /\.execute-api\.([\w-]+)\./.exec(config.apiBase)?.[1] ?? '';

let session = null;

export const signedIn = () => session !== null;

/** The operator as this page can know them: a key's id, or who a token says it is. */
export function operatorName() {
  if (!session) return '';
  return session.token ? claims(session.token).email ?? claims(session.token).username ?? claims(session.token).sub ?? 'JWT' : session.accessKeyId;
}

function claims(token) {
  try {
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')), (sign) => sign.charCodeAt(0))));
  } catch {
    return {};
  }
}

function keep(kept) {
  session = kept;
  // Also that somebody signed out: the keys of the local system must not sign them in again.
  sessionStorage.setItem(KEPT, JSON.stringify(kept));
}

/** Takes up what this tab kept, what the provider sent, or the local system's keys. Throws where signing in failed. */
export async function open() {
  const kept = sessionStorage.getItem(KEPT);
  if (kept) session = JSON.parse(kept);
  else if (signIn.credentials) useLocalKeys();
  if (signIn.issuer) {
    const token = await comeBack(signIn);
    if (token) keep({ token });
  }
}

export function useLocalKeys() {
  keep({ ...signIn.credentials, region });
}

export const atProvider = () => leave(signIn);

/** Signs in with what was pasted: what `aws` prints as JSON or as variables, or a token. Whether it was any of these. */
export function paste(text, inRegion) {
  const trimmed = text.trim();
  if (signIn.kind === 'jwt') {
    const isToken = /^[\w-]+\.[\w-]+\.[\w-]+$/.test(trimmed);
    if (isToken) keep({ token: trimmed });
    return isToken;
  }
  const member = (name) => new RegExp(`(?:aws)?_?${name.replaceAll('_', '_?')}["']?\\s*[=:]\\s*["']?([^\\s"',;]+)`, 'i').exec(trimmed)?.[1];
  const [accessKeyId, secretAccessKey, sessionToken] = ['access_key_id', 'secret_access_key', 'session_token'].map(member);
  if (!accessKeyId || !secretAccessKey || !inRegion) return false;
  keep({ accessKeyId, secretAccessKey, sessionToken, region: inRegion });
  return true;
}

export function signOut() {
  keep(null);
}

/** The headers of a request of this operator's. */
export async function signed(request) {
  if (session.token) return { ...request.headers, authorization: `Bearer ${session.token}` };
  return sign(request, session, session.region);
}
