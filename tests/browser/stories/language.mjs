/** Korean first, English by a switch that is remembered. */
import assert from 'node:assert/strict';
import { DESKTOP, PHONE, story } from '../buyer.mjs';

story('the English switch changes every view, is remembered, and changes back', DESKTOP, async (buyer) => {
  assert.equal(await buyer.at('html').getAttribute('lang'), 'ko');
  await buyer.at('#language').click();
  assert.equal(await buyer.at('html').getAttribute('lang'), 'en');

  await buyer.order();
  await buyer.window('pay').click();
  await buyer.isTold('PAID');
  assert.deepEqual(await koreanText(buyer), []);

  await buyer.page.reload();
  await buyer.isTold('PAID');
  assert.equal(await buyer.at('#result-mark').innerText(), 'Paid');

  await buyer.at('#language').click();
  assert.equal(await buyer.at('#result-mark').innerText(), '결제 완료');
  assert.equal(await buyer.at('html').getAttribute('lang'), 'ko');
});

story('no Korean is left on the products and the form in English, but names and the way back', PHONE, async (buyer) => {
  await buyer.at('#language').click();
  await buyer.choose();
  assert.deepEqual(await koreanText(buyer), []);
  await buyer.at('#bar a').click();
  await buyer.at('#pay').click();
  await buyer.at('#faults').waitFor();
  assert.deepEqual(await koreanText(buyer), []);
});

/** Visible text and labels in Hangul that are not marked as Korean for a screen reader. */
function koreanText(buyer) {
  return buyer.page.evaluate(() => {
    const found = [];
    const hangul = /[가-힣]/;
    for (const element of document.querySelectorAll('body *')) {
      if (!element.checkVisibility() || element.closest('[lang=ko], noscript, template')) continue;
      const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data.trim());
      found.push(...own.filter((text) => hangul.test(text)));
      // A product's own name stays what it is inside an English label.
      const label = element.getAttribute('aria-label') ?? '';
      if (hangul.test(label) && !element.closest('[data-product]')) found.push(label);
    }
    return found.filter((text) => text !== document.querySelector('#status').textContent);
  });
}
