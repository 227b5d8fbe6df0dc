/** What a view does with an answer that did not come, or was a refusal. */
import { at } from './dom.js';
import { phrases, say } from './words.js';

/**
 * Says what went wrong in the view's own words place; who is not signed in is asked to. A problem's own words and those
 * of its fields are the API's, in the operator's language.
 */
export function tell(place, error) {
  if (error.kind === 'signIn') {
    dispatchEvent(new Event('console:sign-in'));
    return;
  }
  if (!error.kind) throw error;
  at(place).textContent = sentences(error.problem) || say(phrases.silent);
}

export function sentences({ detail, errors = [] }) {
  const own = errors.map((fault) => fault.detail);
  return (own.length ? own : [detail]).filter(Boolean).join(' ');
}

/** Runs one load of a view at a time: an answer that a newer one has overtaken is dropped. */
export function latest() {
  let newest = 0;
  return async (load, show, failed) => {
    const mine = (newest += 1);
    try {
      const answer = await load();
      if (mine === newest) show(answer);
    } catch (error) {
      if (mine === newest) failed(error);
    }
  };
}
