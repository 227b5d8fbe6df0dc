/** axe-core over a page and its frames. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** WCAG 2.2 A and AA, and the landmark and heading rules that screen reader users live by. */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/**
 * Fails with each serious or critical violation in the page or in a frame of it. With SCREENSHOTS=folder it also leaves
 * a picture of the view there, for a person to judge what axe cannot.
 */
export async function passesAxe(page, view) {
  if (process.env.SCREENSHOTS) {
    const dark = await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches);
    const name = `${view.replace(/\W+/g, '-')}-${page.viewportSize().width}${dark ? '-dark' : ''}.png`;
    await page.screenshot({ path: path.join(process.env.SCREENSHOTS, name), fullPage: true });
  }
  for (const frame of page.frames()) {
    // Each frame is looked at on its own, so that one of another origin is not left out.
    await frame.evaluate(source);
    const { violations } = await frame.evaluate((tags) => window.axe.run(document, { runOnly: tags, iframes: false }), TAGS);
    const serious = violations
      .filter(({ impact }) => ['serious', 'critical'].includes(impact))
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} (${failureSummary.replace(/\s+/g, ' ')})`).join(' | ')}`);
    assert.deepEqual(serious, [], `${view} ${frame.url()}`);
  }
}
