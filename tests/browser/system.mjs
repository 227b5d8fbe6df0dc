/**
 * The whole local system, started once for the suite, and one Chromium. A story that needs another one starts its own.
 *
 * The binaries are built beforehand (`cargo xtask test` does); LOCAL_STACK and FUNCTIONS_DIR say where, if not in
 * the places that cargo uses by itself.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { buildExamples } from './build.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const LOCAL_STACK = process.env.LOCAL_STACK ?? path.join(root, 'target/local/debug/local-stack');
const FUNCTIONS_DIR = process.env.FUNCTIONS_DIR ?? path.join(root, 'target/debug');
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const START_MAX_MS = 60_000;
const STOP_MAX_MS = 10_000;

/** The system takes its base port and the ones after it. */
const PORTS = 10;

/** `{url, config, stop, browser}` once `startSystem` has resolved; `url` ends with a slash. */
export const system = {};

export async function startSystem() {
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  await buildExamples();
  const data = await mkdtemp(path.join(tmpdir(), 'browser-tests-'));
  const stack = await startStack(await freePorts(), data);
  const stop = () => stack.stop().finally(() => rm(data, { recursive: true, force: true }));
  Object.assign(system, stack, { stop });
  system.browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

export async function stopSystem() {
  await system.browser?.close();
  await system.stop?.();
}

/** One local system on this port and the ones after it, with what `data` has kept: `{url, config, stop}`. */
async function startStack(port, data, folder = root, more = []) {
  const args = ['--port', String(port), '--data', data, '--root', folder, '--functions', FUNCTIONS_DIR, ...more];
  const stack = spawn(LOCAL_STACK, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  // Nothing is left behind, also when this process is told to stop.
  const kill = () => stack.kill();
  process.once('exit', kill);
  stack.once('exit', () => process.off('exit', kill));
  const url = await readyUrl(stack);
  // The system's own answer, in the shape that the shop imports.
  const config = await (await fetch(`${url}config.js`)).text();
  return {
    url,
    config: JSON.parse(config.slice(config.indexOf('{'), config.lastIndexOf('}') + 1)),
    stop: () => stopStack(stack),
  };
}

/**
 * A system whose payments this backend approves. Its channel is as any other until `byHand` resolves, which is when
 * PortOne's side has the setting too, for every window that is open by then.
 */
export async function startSystemOfManualApproval() {
  const folder = await mkdtemp(path.join(tmpdir(), 'browser-tests-'));
  const data = path.join(folder, 'data');
  const template = await readFile(path.join(root, 'template.yaml'), 'utf8');
  const manual = template.replace(/(  PaymentApproval:\n    Type: String\n    Default: )AUTO/, '$1MANUAL');
  if (manual === template) throw new Error('template.yaml has no PaymentApproval to set');
  await writeFile(path.join(folder, 'template.yaml'), manual);
  for (const served of ['shop', 'checkout']) await symlink(path.join(root, served), path.join(folder, served));

  const port = await freePorts();
  let stack = await startStack(port, data, folder);
  return {
    url: stack.url,
    config: stack.config,
    // The simulator takes its channels when it starts and has no way to change one: only what it keeps does.
    async byHand() {
      await stack.stop();
      const kept = path.join(data, 'portone.json');
      const isChannel = (value) => typeof value === 'object' && value !== null && 'manualApproval' in value;
      const set = (_, value) => (isChannel(value) ? { ...value, manualApproval: true } : value);
      await writeFile(kept, JSON.stringify(JSON.parse(await readFile(kept, 'utf8'), set)));
      stack = await startStack(port, data, folder);
    },
    stop: () => stack.stop().finally(() => rm(folder, { recursive: true, force: true })),
  };
}

/** A system whose operators bring tokens of its provider. */
export async function startSystemWithTokens() {
  const data = await mkdtemp(path.join(tmpdir(), 'browser-tests-'));
  const stack = await startStack(await freePorts(), data, root, ['--jwt']);
  return { ...stack, stop: () => stack.stop().finally(() => rm(data, { recursive: true, force: true })) };
}

async function stopStack(stack) {
  if (stack.exitCode !== null || stack.signalCode !== null) return;
  const gone = new Promise((resolve) => stack.once('exit', (code, signal) => resolve(code ?? signal)));
  stack.kill('SIGTERM');
  const slow = setTimeout(() => stack.kill('SIGKILL'), STOP_MAX_MS);
  const end = await gone;
  clearTimeout(slow);
  if (end !== 0) throw new Error(`the system ended with ${end} instead of 0`);
}

function readyUrl(child) {
  let said = '';
  let complained = '';
  return new Promise((resolve, reject) => {
    const fail = (why) => {
      clearTimeout(late);
      reject(new Error(`${LOCAL_STACK}: ${why}\n${complained.slice(-4000)}`));
    };
    const late = setTimeout(fail, START_MAX_MS, `not ready after ${START_MAX_MS} ms`);
    child.on('error', (error) => fail(error.message));
    child.on('exit', (code) => fail(`ended with ${code} before it was ready`));
    child.stderr.on('data', (chunk) => {
      complained = (complained + chunk).slice(-20_000);
      if (process.env.VERBOSE) process.stderr.write(chunk);
    });
    child.stdout.on('data', (chunk) => {
      said += chunk;
      const ready = /^ready (\S+)$/m.exec(said);
      if (!ready) return;
      clearTimeout(late);
      resolve(ready[1]);
    });
  });
}

/** A port with free ones after it. Somebody may still take one before the system does: then it says so and ends. */
async function freePorts() {
  for (let tries = 0; tries < 50; tries += 1) {
    const base = 20_000 + Math.floor(Math.random() * 12_000);
    const free = await Promise.all(Array.from({ length: PORTS }, (_, next) => isFree(base + next)));
    if (free.every(Boolean)) return base;
  }
  throw new Error(`no ${PORTS} free ports in a row`);
}

const isFree = (port) =>
  new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
