/** The suite: one system, one browser, and a story for each rule. */
import { after, describe } from 'node:test';
import { simulator } from './simulator.mjs';
import { startSystem, stopSystem } from './system.mjs';

// Before any test, so that a system that does not start is one clear error and not one per test.
await startSystem();
after(stopSystem, { timeout: 30_000 });
await simulator.leaveSlowPaymentsPending();

// A few buyers at a time: each has a browser context and orders of its own, and mostly waits.
describe('the demo shop and checkout.js', { concurrency: 3 }, async () => {
  for (const stories of ['paying', 'recovery', 'failures', 'v1', 'after', 'language', 'accessibility', 'module', 'windows', 'examples']) await import(`./stories/${stories}.mjs`);
});

describe('the operators’ console', { concurrency: 3 }, async () => {
  for (const stories of ['operators', 'operators-cancelling', 'operators-signing-in', 'operators-looking']) await import(`./stories/${stories}.mjs`);
});
