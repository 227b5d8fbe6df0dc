/** The operators' routes (docs/API.md), called as whoever is signed in. */
import { config } from './config.js';
import * as session from './session.js';
import { encoded } from './sigv4.js';
import { language } from './words.js';

/** Longer than any answer takes: API Gateway gives up after 30 s. */
const ANSWER_MAX_MS = 40_000;

/**
 * An answer that is not what was asked for. `kind` is what can be done about it:
 * `signIn` (nobody is signed in, or not any more), `refused` (as it is, it cannot be done), `unknown` (no answer: it may
 * have been done or not).
 */
export class NoAnswer extends Error {
  constructor(kind, problem = {}) {
    super(problem.detail ?? kind);
    Object.assign(this, { kind, problem });
  }
}

async function call(method, path, { query = {}, body, key } = {}) {
  if (!session.signedIn()) throw new NoAnswer('signIn');
  const base = config.apiBase || location.origin;
  const given = Object.entries(query).filter(([, value]) => value);
  const search = given.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join('&');
  const url = `${base}/${path.map(encoded).join('/')}${search && `?${search}`}`;
  const text = body === undefined ? '' : JSON.stringify(body);
  const headers = { ...(text && { 'content-type': 'application/json' }), ...(key && { 'idempotency-key': key }) };
  let answer;
  let answered;
  try {
    const all = { ...(await session.signed({ method, url, headers, body: text })), 'accept-language': language };
    answer = await fetch(url, { method, headers: all, body: text || undefined, signal: AbortSignal.timeout(ANSWER_MAX_MS), cache: 'no-store' });
    answered = await answer.json();
  } catch {
    if (!answer || answer.ok) throw new NoAnswer('unknown');
    answered = {};
  }
  if (answer.ok) return answered;
  if (answer.status === 401 || answer.status === 403) throw new NoAnswer('signIn', answered);
  throw new NoAnswer(answer.status >= 500 || answer.status === 429 ? 'unknown' : 'refused', answered);
}

export const search = (query) => call('GET', ['orders'], { query: { query } });
export const journal = (orderId) => call('GET', ['orders', orderId, 'journal']);
export const sync = (orderId) => call('POST', ['orders', orderId, 'sync']);
export const cancel = (orderId, key, body) => call('POST', ['orders', orderId, 'cancel'], { key, body });
export const findings = (after) => call('GET', ['findings'], { query: { after } });
export const settle = (finding) => call('DELETE', ['findings', finding]);
export const days = (from, to) => call('GET', ['days'], { query: { from, to } });
