/**
 * A simulator of one's own, as a process, and a shop that takes its webhooks.
 *
 * PORTONE_SIMULATOR says where the executable is, if not where `cargo build` puts it.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const EXECUTABLE = process.env.PORTONE_SIMULATOR ?? path.join(root, 'target/local/debug/portone-simulator');
const START_MAX_MS = 20_000;

// No proxy of the environment stands between this machine and itself; V1's client would go through it.
process.env.no_proxy = '127.0.0.1';

export const API_SECRET = 'an-api-secret-for-clients';
export const V1_KEY = 'a-v1-key-for-clients';
export const V1_SECRET = 'a-v1-secret-for-clients';
export const WEBHOOK_SECRETS = ['whsec_Zmlyc3Qgc2VjcmV0IG9mIHR3bw==', 'whsec_c2Vjb25kIHNlY3JldCBvZiB0d28='];

export class Simulator {
  /** Webhooks that arrived, oldest first: `{headers, body}`, the body as its text. */
  webhooks = [];

  static async start() {
    const simulator = new Simulator();
    simulator.shop = createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      simulator.webhooks.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
      response.end();
    });
    await new Promise((resolve) => simulator.shop.listen(0, '127.0.0.1', resolve));
    const args = ['--port', '0', '--api-secret', API_SECRET, '--webhook-url', `http://127.0.0.1:${simulator.shop.address().port}/`];
    args.push('--v1-key', V1_KEY, '--v1-secret', V1_SECRET);
    for (const secret of WEBHOOK_SECRETS) args.push('--webhook-secret', secret);
    simulator.process = spawn(EXECUTABLE, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    simulator.url = await ready(simulator.process);
    simulator.v1Url = (await simulator.control('GET', 'overview')).v1Url;
    return simulator;
  }

  async stop() {
    if (this.process.exitCode === null) {
      const gone = new Promise((resolve) => this.process.once('exit', resolve));
      this.process.kill('SIGTERM');
      await gone;
    }
    await new Promise((resolve) => this.shop.close(resolve));
  }

  /** A call of the control API; the answer's JSON. */
  async control(method, at, body) {
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const response = await fetch(`${this.url}/_simulator/${at}`, { method, headers, body: JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${at}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  /** A payment in any state. */
  put(id, spec = {}) {
    return this.control('PUT', `payments/${encodeURIComponent(id)}`, spec);
  }

  act(id, action, more = {}) {
    return this.control('POST', `payments/${encodeURIComponent(id)}/actions`, { action, ...more });
  }

  cancelMode(id, mode) {
    return this.control('PUT', `payments/${encodeURIComponent(id)}/cancel-mode`, { mode });
  }

  /** `IMP.request_pay(params)` up to the open window; its `imp_uid`. */
  async openV1(params) {
    return (await this.control('POST', 'v1/windows', { params })).imp_uid;
  }

  /** A button of a V1 window; what the page's callback is called with. */
  pressV1(impUid, button) {
    return this.control('POST', `v1/windows/${impUid}/press`, { button });
  }

  /** Resolves when every webhook that is due was sent and answered. */
  settled() {
    return this.control('POST', 'settle');
  }
}

function ready(child) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${EXECUTABLE} is not ready after ${START_MAX_MS} ms`)), START_MAX_MS);
    const fail = (why) => {
      clearTimeout(late);
      reject(new Error(`${EXECUTABLE}: ${why}. Build it with cargo, or set PORTONE_SIMULATOR.`));
    };
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`ended with ${code}`));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = /^ready (\S+?)\/?$/.exec(line);
      if (!said) return;
      clearTimeout(late);
      resolve(said[1]);
    });
  });
}
