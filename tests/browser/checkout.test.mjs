/** The module without a browser: what is checked in is what the source says, small, and typed as it is documented. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { checkout, checkoutModule } from './build.mjs';

const GZIP_MAX_BYTES = 5_000;

const shipped = await readFile(path.join(checkout, 'checkout.js'), 'utf8');

test('checkout.js is what its source builds to (if not: npm run checkout)', async () => {
  assert.equal(shipped, await checkoutModule());
});

test('checkout.js is under 5 KB gzipped, and imports nothing', () => {
  const { length } = gzipSync(shipped, { level: 9 });
  assert.ok(length < GZIP_MAX_BYTES, `${length} bytes`);
  assert.doesNotMatch(shipped, /\bimport\b/);
});

test('nothing of the module writes HTML, runs text as code or leaves the page', () => {
  assert.doesNotMatch(shipped, /innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|location\.(assign|replace)|location(\.href)?\s*=[^=]/);
});

test('source, examples and the cases of types.test.ts agree with checkout.d.ts', async () => {
  const compiler = createRequire(import.meta.url).resolve('typescript/package.json');
  const tsc = path.join(path.dirname(compiler), 'bin/tsc');
  await promisify(execFile)(process.execPath, [tsc, '--project', checkout]).catch(({ stdout, stderr }) => assert.fail(stdout + stderr));
});
