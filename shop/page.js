/**
 * This demo's page: draws the products and the order form; receipt.js draws the result. No payment logic here: that is
 * checkout.js, which any page can use.
 */
import { CheckoutError, createCheckout } from '../checkout/checkout.js';
import { config } from './config.js';
import { announce, at, clone } from './dom.js';
import { kept } from './kept.js';
import { drawReceipt, wordsOf } from './receipt.js';
import { language, missing, money, phrases, say, speak, troubles } from './words.js';

const checkout = createCheckout({ ...config, onRetry: () => announce(say(phrases.retrying)) });

/** PortOne's generations to choose from, the first being the default: those that config.js has a script for. */
const generations = [config.portoneSdk && 'v2', config.portoneV1Sdk && 'v1'].filter(Boolean);

// ------------------------------------------------------------------------------------------------------- the views

const views = { '': 'shop', '#order': 'order', '#result': 'result' };

/** What the checkout told last. */
let result = null;

function go(hash) {
  if (location.hash !== hash) history.pushState(null, '', hash || location.pathname);
  showView();
}

/** Shows the view of the address's hash. Focus follows to its heading, except on the page's own first showing. */
function showView({ focus = true } = {}) {
  let view = views[location.hash];
  // A link to the content is no view.
  if (!view) return;
  if (view === 'result' && !result && checkout.lastOrderId) checkout.check();
  if ((view === 'order' && !busy && products && !chosen().count) || (view === 'result' && !result)) {
    history.replaceState(null, '', location.pathname);
    view = 'shop';
  }
  for (const name of Object.values(views)) at(`${name}-view`).hidden = name !== view;
  drawTitle(view);
  drawProducts(); // what was bought meanwhile is no longer chosen
  at('my-order').hidden = view === 'result' || !checkout.lastOrderId;
  if (view === 'order') loadWindow();
  if (!focus) return;
  scrollTo(0, 0);
  at(`${view}-title`).focus({ preventScroll: true });
}

function drawTitle(view) {
  const page = { order: phrases.viewOrder, result: result && wordsOf(result).title }[view];
  document.title = [page, phrases.title].filter(Boolean).map((phrase) => say(phrase)).join(' · ');
}

// ---------------------------------------------------------------------------------------------------- the products

let products;

/** What is chosen: `lines` like an order's items, how many pieces, and what they come to as the catalogue has it now. */
function chosen() {
  const quantities = kept.chosen.get();
  const lines = (products ?? [])
    .filter(({ productId, available }) => available && quantities[productId] > 0)
    .map((product) => ({ ...product, quantity: quantities[product.productId], amount: product.price * quantities[product.productId] }));
  return {
    lines,
    count: lines.reduce((all, { quantity }) => all + quantity, 0),
    total: lines.reduce((all, { amount }) => all + amount, 0),
    currency: lines[0]?.currency ?? 'KRW',
  };
}

async function loadProducts() {
  at('products').setAttribute('aria-busy', 'true');
  at('products-again').hidden = true;
  at('products-trouble').textContent = '';
  try {
    products = await checkout.products();
  } catch {
    at('products-again').hidden = false;
    at('products-trouble').textContent = say(troubles.products);
  }
  at('products').setAttribute('aria-busy', 'false');
  drawProducts();
}

function drawProducts() {
  at('products').replaceChildren(...(products ?? []).map((product) => clone('product', (find, card) => drawProduct(product, find, card))));
  drawChosen();
}

function drawProduct(product, find, card) {
  const { productId, name, price, currency, available } = product;
  card.dataset.product = productId;
  find('use').setAttribute('href', at(`picture-${productId}`) ? `#picture-${productId}` : '#picture-other');
  find('h3').textContent = name;
  find('.price').textContent = money(price, currency);
  find('.sold-out').textContent = say(phrases.soldOut);
  find('.sold-out').hidden = available;
  find('.add').textContent = say(phrases.add);
  find('.add').setAttribute('aria-label', say(phrases.addNamed, { name }));

  const show = (quantity) => {
    find('input').value = quantity;
    find('.add').hidden = !available || quantity > 0;
    find('.stepper').hidden = !available || quantity === 0;
  };
  const step = (wanted) => {
    const quantity = choose(product, wanted);
    const swaps = find('.add').hidden !== quantity > 0;
    show(quantity);
    // The pressed button has just gone: focus stays with the product.
    if (swaps) find(quantity ? '.more' : '.add').focus();
  };
  card.append(drawStepper(name, step));
  find('.add').onclick = () => step(1);
  show(kept.chosen.get()[productId] ?? 0);
}

/** − n + of a product; `step` is told which quantity is wanted. */
const drawStepper = (name, step) =>
  clone('stepper', (find, stepper) => {
    stepper.setAttribute('aria-label', say(phrases.quantity, { name }));
    const labels = { input: phrases.quantity, '.fewer': phrases.fewer, '.more': phrases.more };
    for (const [selector, phrase] of Object.entries(labels)) find(selector).setAttribute('aria-label', say(phrase, { name }));
    const input = find('input');
    find('.fewer').onclick = () => step(Number(input.value) - 1);
    find('.more').onclick = () => step(Number(input.value) + 1);
    // As it is typed: what moves on the page when the field is left would move from under the press that leaves it.
    input.oninput = () => {
      if (Number(input.value) > 0) step(Number(input.value));
    };
    input.onchange = () => {
      if (!(Number(input.value) > 0)) step(0);
    };
    input.onkeydown = (event) => {
      // In the form it would pay.
      if (event.key === 'Enter') event.preventDefault();
    };
  });

/** Puts so many of a product into the order, as far as there can be so many; answers how many. */
function choose({ productId, name, currency }, wanted) {
  const quantity = Math.min(999, Math.max(0, Math.trunc(wanted) || 0));
  kept.chosen.set({ ...kept.chosen.get(), [productId]: quantity });
  mended(({ product }) => product === productId);
  drawChosen();
  const { count, total } = chosen();
  announce(say(phrases.chosenAloud, { name, quantity, count, total: money(total, currency) }));
  return quantity;
}

/** The bar under the products and the summary beside the form. */
function drawChosen() {
  const { lines, count, total, currency } = chosen();
  at('bar').hidden = !count;
  at('chosen').textContent = say(phrases.chosen, { count, total: money(total, currency) });
  drawBasket(lines);
  at('summary-total').textContent = money(total, currency);
  drawButtons();
}

/** The summary's lines. One that stays is drawn over and not made anew, so that the focus stays in it. */
function drawBasket(lines) {
  const list = at('summary-lines');
  const rows = lines.map((line) => [...list.children].find(({ dataset }) => dataset.product === line.productId) ?? drawRow(line));
  if (rows.length !== list.children.length || rows.some((row, place) => row !== list.children[place])) list.replaceChildren(...rows);
  for (const [place, { productId, quantity, amount, currency }] of lines.entries()) {
    const find = (selector) => rows[place].querySelector(selector);
    find('input').value = quantity;
    find('.amount').textContent = money(amount, currency);
    const own = faults.find(({ product }) => product === productId);
    find('.fault').textContent = own?.here ?? '';
    find('input').setAttribute('aria-invalid', String(Boolean(own)));
  }
}

const drawRow = (line) =>
  clone('basket-line', (find, row) => {
    const { productId, name } = line;
    row.dataset.product = productId;
    find('.what').textContent = name;
    find('.fault').before(drawStepper(name, (wanted) => choose(line, wanted) || at('summary-title').focus()));
    find('.fault').id = `fault-of-${productId}`;
    Object.assign(find('input'), { id: `quantity-of-${productId}` }).setAttribute('aria-describedby', `fault-of-${productId}`);
  });

// -------------------------------------------------------------------------------------------------- the order form

/** While one press is at work the next does nothing. The buttons stay focusable: focus must not fall off the page. */
let busy = false;

function drawButtons() {
  const { total, currency } = chosen();
  for (const id of ['pay', 'pay-again']) at(id).setAttribute('aria-disabled', String(busy));
  at('pay').textContent = say(busy ? phrases.working : phrases.pay, { total: money(total, currency) });
}

async function once(work) {
  if (busy) return;
  busy = true;
  drawButtons();
  try {
    await work();
  } finally {
    busy = false;
    drawButtons();
  }
}

const fields = () => at('order-form').elements;

/** Ahead of time; a failure is told when it matters. */
const loadWindow = () => checkout.load(fields().sdk.value).catch(() => {});

/** PortOne's generation: as the address asks (`?sdk=v1`), as chosen in this tab, or the first. */
function drawGenerations() {
  const address = new URL(location);
  const asked = address.searchParams.get('sdk');
  const sdk = [asked, kept.sdk.get(), ...generations].find((wanted) => generations.includes(wanted));
  kept.sdk.set(sdk);
  fields().sdk.value = sdk;
  at('generations').hidden = generations.length < 2;
  // Asked once: from here on the choice is the visitor's, also over a reload.
  address.searchParams.delete('sdk');
  if (asked) history.replaceState(null, '', address);
}

function orderBody() {
  const { name, email, phone, payMethod } = fields();
  return {
    items: chosen().lines.map(({ productId, quantity }) => ({ productId, quantity })),
    customer: { name: name.value.trim(), email: email.value.trim(), phone: phone.value.trim() },
    payMethod: payMethod.value,
    sdk: fields().sdk.value,
  };
}

/** After a reload or a redirect: the form as it was sent, so that the same press is the same order. */
function restoreForm() {
  const { customer, payMethod } = kept.ordered.get()?.body ?? {};
  if (!customer) return;
  for (const field of ['name', 'email', 'phone']) fields()[field].value = customer[field];
  fields().payMethod.value = payMethod;
}

async function submitOrder() {
  drawFaults([]);
  at('order-trouble').textContent = '';
  const body = orderBody();
  const empty = ['name', 'email', 'phone'].filter((field) => !body.customer[field]).map((field) => ({ field, text: say(missing[field]) }));
  if (!body.items.length) empty.push({ field: 'items', text: say(missing.items) });
  if (empty.length) return showFaults(empty);

  announce(say(phrases.working));
  kept.ordered.set({ body, total: chosen().total });
  await pay();
}

/** Pays what was ordered, for the first time or again: while it can be paid it is one order. */
async function pay() {
  const { body, total } = kept.ordered.get();
  try {
    await checkout.pay(body, { total });
  } catch (error) {
    // From the result, too, back to the form: it says what is wrong, and its button is the same order.
    if (!at('result-view').hidden) go('#order');
    await explain(error, chosen().lines);
  }
}

/** Why there was nothing to pay for, and what to do. `ordered` are the lines of the order that was not made. */
async function explain(error, ordered) {
  if (!(error instanceof CheckoutError)) throw error;
  const { code, problem = {} } = error;
  const refused = problem.errors ?? [];
  // What is for sale, or its price, is not what this page thought.
  if (code === 'price-changed' || refused.some(({ pointer }) => fieldAt(pointer) === 'items')) await loadProducts();
  if (refused.length) return showFaults(refused.map((fault) => faultOf(fault, ordered)));

  const { total, currency } = chosen();
  let trouble = [say(troubles.refused), problem.detail].filter(Boolean).join(' ');
  if (code === 'price-changed') trouble = say(troubles.price, { total: money(total, currency) });
  else if (!navigator.onLine) trouble = say(troubles.offline);
  else if (code === 'window-unavailable') trouble = say(troubles.sdk);
  else if (code === 'unreachable') trouble = say(troubles.lost);
  else if (code === 'unavailable') trouble = say(troubles.busy);
  at('order-trouble').textContent = trouble;
}

const fieldAt = (pointer = '') => /^\/(?:customer\/)?(name|email|phone|items|payMethod)\b/.exec(pointer)?.[1];

/** A fault that the API found, at its field; or at its line of the order, whose pointer is `/items/<n>/…`. */
function faultOf({ pointer, detail }, ordered) {
  const line = ordered[/^\/items\/(\d+)\//.exec(pointer)?.[1]];
  if (!line) return { field: fieldAt(pointer), text: detail };
  const { productId, name } = line;
  if (chosen().lines.some((left) => left.productId === productId)) {
    return { field: 'line', product: productId, text: say(phrases.faultNamed, { name, detail }), here: detail };
  }
  // Not one is left. It must not come back by itself either, should there be more later.
  kept.chosen.set({ ...kept.chosen.get(), [productId]: 0 });
  return { field: 'items', text: say(phrases.leftOut, { name, detail }) };
}

/** What is wrong with the form: `{field, text}` each; of a line also the `product`, and `here` without its name. */
let faults = [];

/** Puts each fault at its field and all of them, linked, in a summary. */
function drawFaults(found) {
  faults = found;
  for (const field of ['name', 'email', 'phone', 'payMethod', 'items']) {
    const own = faults.filter((fault) => fault.field === field).map(({ text }) => text).join(' ');
    at(`${field}-fault`).textContent = own;
    const input = fields()[field];
    if (!(input instanceof HTMLInputElement)) continue;
    input.setAttribute('aria-invalid', String(Boolean(own)));
    const described = [at(`${field}-hint`) && `${field}-hint`, own && `${field}-fault`].filter(Boolean).join(' ');
    input.setAttribute('aria-describedby', described);
  }
  drawBasket(chosen().lines);
  at('faults').hidden = !faults.length;
  at('faults-title').textContent = say(phrases.faults, { count: faults.length });
  at('faults-list').replaceChildren(...faults.map(drawFault));
}

/** What is being mended is no longer held against the buyer. */
function mended(isIt) {
  if (faults.some(isIt)) drawFaults(faults.filter((fault) => !isIt(fault)));
}

/** The summary takes the focus, so that it is read and its links are next. */
function showFaults(found) {
  drawFaults(found);
  at('faults').focus();
}

function drawFault({ field, product, text }) {
  const item = document.createElement('li');
  const places = { items: at('summary-title'), line: at(`quantity-of-${product}`), payMethod: document.querySelector('[name=payMethod]:checked') };
  const target = places[field] ?? at(field);
  if (!target) {
    item.textContent = text;
    return item;
  }
  const link = Object.assign(document.createElement('a'), { href: `#${target.id}`, textContent: text });
  link.onclick = (event) => {
    event.preventDefault();
    target.focus();
  };
  item.append(link);
  return item;
}

// ------------------------------------------------------------------------------------------------- the result page

/** Outcomes after which what was chosen is bought. */
const BOUGHT = ['PAID', 'PARTIAL_CANCELLED', 'CANCELLING', 'VIRTUAL_ACCOUNT_ISSUED'];

/** Everything the checkout has to say about an order ends here. */
function showResult(news) {
  const before = result;
  const opens = news.outcome === 'OPEN';
  result = news;
  const ordered = kept.ordered.get();
  if (opens) kept.ordered.set({ ...ordered, orderId: news.orderId });
  if (opens || before?.outcome === 'OPEN') {
    // The window may be gone without a response, and whatever is still asked about it, the buyer may press again.
    busy = false;
    drawButtons();
  }
  if (BOUGHT.includes(news.outcome) && ordered?.orderId === news.orderId) {
    kept.ordered.set(null);
    kept.chosen.set({});
  }
  drawResult();
  if (opens) go('#result');
  if (before?.orderId === news.orderId && before.outcome === news.outcome) return;
  const { mark, title } = wordsOf(news);
  announce(`${say(mark)}. ${say(title)}`);
  // The payment window took the focus along when it went; a look that found something does not take it from anyone.
  if (!at('result-view').hidden && [document.body, null].includes(document.activeElement)) at('result-title').focus();
}

const drawResult = () => drawReceipt(result, { canPay: kept.ordered.get()?.orderId === result.orderId, canChange: chosen().count > 0 });

// -------------------------------------------------------------------------------------------- language, and wiring

/** Korean is what stands in the page; English stands beside it in `data-en` and `data-en-label`. */
function drawLanguage() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll('[data-en]')) {
    element.dataset.ko ??= element.textContent;
    element.textContent = language === 'en' ? element.dataset.en : element.dataset.ko;
  }
  for (const element of document.querySelectorAll('[data-en-label]')) {
    element.dataset.koLabel ??= element.getAttribute('aria-label');
    element.setAttribute('aria-label', language === 'en' ? element.dataset.enLabel : element.dataset.koLabel);
  }
  at('language').textContent = say(phrases.otherLanguage);
  at('language').lang = language === 'en' ? 'ko' : 'en';
}

at('language').onclick = () => {
  speak(language === 'ko' ? 'en' : 'ko');
  kept.language.set(language);
  drawLanguage();
  // Said in the old language, and no longer true of anything.
  at('summary-lines').replaceChildren();
  drawProducts();
  drawFaults([]);
  at('order-trouble').textContent = '';
  announce('');
  if (result) drawResult();
  drawTitle(views[location.hash]);
};
at('order-form').onsubmit = (event) => {
  event.preventDefault();
  once(submitOrder);
};
at('order-form').oninput = ({ target }) => {
  if (target.name) mended(({ field }) => field === target.name);
};
at('generations').onchange = ({ target }) => {
  kept.sdk.set(target.value);
  loadWindow();
};
at('pay-again').onclick = () => once(pay);
at('check-again').onclick = () => checkout.check();
at('products-again').onclick = loadProducts;
addEventListener('hashchange', () => showView());

at('simulated').hidden = !config.simulatorConsole;
if (config.simulatorConsole) at('simulator-console').href = config.simulatorConsole;

speak(kept.language.get());
drawLanguage();
restoreForm();
drawGenerations();

const address = location.href;
checkout.subscribe((news) => {
  // An order that is no more is no way to greet anyone.
  if (news.outcome === 'NOT_FOUND' && came === 'reopened') {
    result = null;
    go('');
  } else {
    showResult(news);
  }
});
checkout.resume();
// Who returns from paying brought the order in the address, which is clean by now.
const came = result && (location.href === address ? 'reopened' : 'returned');
if (came) history.replaceState(null, '', '#result');
showView({ focus: false });
loadProducts().then(() => location.hash === '#order' && showView());
