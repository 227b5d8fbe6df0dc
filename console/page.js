/** This page as a whole: which view is shown, who is signed in, in which language. */
import * as session from './session.js';
import { config } from './config.js';
import { announce, at, el } from './dom.js';
import * as days from './days.js';
import * as findings from './findings.js';
import * as order from './order.js';
import * as search from './search.js';
import * as signIn from './sign-in.js';
import { language, phrases, say, speak } from './words.js';

const LANGUAGE = 'console.language';

/** `#/orders`, `#/orders/<id>`, `#/findings`, `#/days`: each with a view of its own, and what follows the `?`. */
const views = { search, order, findings, days };
let shown;

function asked() {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [name, id] = path.split('/');
  const given = new URLSearchParams(query);
  if (name === 'orders' && id) return { name: 'order', id: decodeURIComponent(id), given };
  return { name: name === 'findings' || name === 'days' ? name : 'search', given };
}

function showView({ focus = true } = {}) {
  // A link to the content is no view.
  if (location.hash && !location.hash.startsWith('#/')) return;
  const { name, id, given } = asked();
  const isIn = session.signedIn();
  shown = isIn ? name : 'sign-in';
  for (const view of ['sign-in', ...Object.keys(views)]) at(`${view}-view`).hidden = view !== shown;
  at('views').hidden = !isIn;
  at('sign-out').hidden = !isIn;
  at('operator').hidden = !isIn;
  at('operator').textContent = session.operatorName();
  for (const link of document.querySelectorAll('#views a')) {
    const here = link.hash === (name === 'order' ? '#/orders' : `#/${name === 'search' ? 'orders' : name}`);
    if (here) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (isIn) views[name].show({ id, given });
  else signIn.show();
  drawTitle();
  if (!focus) return;
  scrollTo(0, 0);
  at(`${shown}-title`).focus({ preventScroll: true });
}

function drawTitle() {
  document.title = [at(`${shown}-title`).textContent, say(phrases.title)].filter(Boolean).join(' · ');
}

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
  at('links').replaceChildren(...(config.links ?? []).map(({ href, ko, en }) => el('a', { href, target: '_blank', rel: 'noopener' }, say([ko, en]))));
}

at('language').onclick = () => {
  speak(language === 'ko' ? 'en' : 'ko');
  localStorage.setItem(LANGUAGE, language);
  drawLanguage();
  // Said in the old language.
  announce('');
  for (const trouble of document.querySelectorAll('.trouble')) trouble.textContent = '';
  if (session.signedIn()) views[shown].draw();
  else signIn.show();
  drawTitle();
};

at('sign-out').onclick = () => {
  session.signOut();
  for (const view of Object.values(views)) view.forget();
  showView();
};

/** What a view failed by: `trouble` is where it is said. Whoever is not signed in any more is asked to. */
addEventListener('console:sign-in', () => {
  session.signOut();
  signIn.say_(say(phrases.expired));
  showView();
});
addEventListener('console:signed-in', () => {
  announce(say(phrases.signedIn));
  showView();
});
addEventListener('console:drawn', drawTitle);
addEventListener('hashchange', () => showView());

at('local').hidden = !config.links;
speak(localStorage.getItem(LANGUAGE));
drawLanguage();
try {
  await session.open();
} catch (error) {
  signIn.say_(say(phrases.providerFailed, { why: error.message }));
}
showView({ focus: false });
