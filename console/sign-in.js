/** Signing in: with the local system's keys, at an OpenID provider, or with what is pasted. */
import { config } from './config.js';
import { at } from './dom.js';
import * as session from './session.js';
import { phrases, say } from './words.js';

const { signIn } = config;
let said = '';

/** Says why it is asked for, when the view comes up. */
export function say_(why) {
  said = why;
}

const labels = {
  sigv4: ['AWS 임시 자격 증명(aws configure export-credentials나 aws sts assume-role의 출력)', 'Temporary AWS credentials, as printed by aws configure export-credentials or aws sts assume-role'],
  jwt: ['접근 토큰(JWT)', 'Access token (JWT)'],
};

export function show() {
  at('sign-in-trouble').textContent = said;
  said = '';
  at('sign-in-local').hidden = !signIn.credentials;
  at('sign-in-provider').hidden = !signIn.issuer;
  at('sign-in-form').hidden = Boolean(signIn.issuer);
  at('credentials-label').textContent = say(labels[signIn.kind]);
  at('region-field').hidden = signIn.kind !== 'sigv4';
  at('region').value ||= session.region;
}

const signedIn = () => dispatchEvent(new Event('console:signed-in'));

at('sign-in-local').onclick = () => {
  session.useLocalKeys();
  signedIn();
};
at('sign-in-provider').onclick = () =>
  session.atProvider().catch((error) => {
    at('sign-in-trouble').textContent = say(phrases.providerFailed, { why: error.message });
  });
at('sign-in-form').onsubmit = (event) => {
  event.preventDefault();
  const isRead = session.paste(at('credentials').value, at('region').value.trim());
  at('sign-in-trouble').textContent = isRead ? '' : say(phrases.notCredentials);
  if (!isRead) return;
  // Nothing of it stays on the page.
  at('credentials').value = '';
  signedIn();
};
