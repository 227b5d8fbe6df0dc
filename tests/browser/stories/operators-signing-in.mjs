/** Who works at the console: keys, tokens, and what happens without. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Clerk, placed } from '../clerk.mjs';
import { DESKTOP, PHONE, story } from '../buyer.mjs';
import { startSystemWithTokens, system } from '../system.mjs';

const REGION = 'ap-northeast-2';

story('who is not signed in sees nothing, and signs in with what aws prints', DESKTOP, async (buyer) => {
  const { orderId } = await placed();
  const asked = [];
  buyer.context.on('request', (request) => request.url().includes('/journal') && asked.push(request.headers()));
  const clerk = await new Clerk(buyer).open(`#/orders/${orderId}`, { signIn: { kind: 'sigv4', region: REGION } });
  await clerk.at('#sign-in-form').waitFor();
  assert.equal(await clerk.at('#views').isHidden(), true);
  assert.deepEqual(asked, []);

  const paste = async (text) => {
    await clerk.at('#credentials').fill(text);
    await clerk.at('#sign-in-form button').click();
  };
  await paste('local');
  await clerk.at('#sign-in-trouble').filter({ hasText: '읽을 수 없는' }).waitFor();
  // The local system takes no session token, and so no header that it did not sign.
  await paste('export AWS_ACCESS_KEY_ID=local\nexport AWS_SECRET_ACCESS_KEY="local"\n');
  await clerk.isShown(orderId);
  assert.equal(await clerk.at('#credentials').inputValue(), '');
  assert.equal(await clerk.at('#operator').innerText(), 'local');

  await clerk.page.reload();
  await clerk.isShown(orderId);
  await clerk.at('#sign-out').click();
  await clerk.at('#sign-in-form').waitFor();
  assert.equal(await clerk.at('#order-body').isHidden(), true);
  await clerk.page.reload();
  await clerk.at('#sign-in-form').waitFor();
});

story('keys as JSON travel with their session token, signed', DESKTOP, async (buyer) => {
  let headers;
  await buyer.context.route('**/findings', (route) => {
    headers = route.request().headers();
    return route.fulfill({ json: { findings: [], next: null } });
  });
  const clerk = await new Clerk(buyer).open('#/findings', { signIn: { kind: 'sigv4', region: REGION } });
  const printed = { Credentials: { AccessKeyId: 'ASIAEXAMPLE', SecretAccessKey: 'not/a+secret=', SessionToken: 'a-token==', Expiration: '2026-11-23T10:00:00Z' } };
  await clerk.at('#credentials').fill(JSON.stringify(printed, null, 2));
  await clerk.at('#sign-in-form button').click();
  await clerk.at('#findings').filter({ hasText: '확인할 일이 없습니다' }).waitFor();
  assert.equal(headers['x-amz-security-token'], 'a-token==');
  assert.match(headers.authorization, /^AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE\/\d{8}\/ap-northeast-2\/execute-api\/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}$/);
});

story('credentials that expire lead to signing in, and from there back to where one was', PHONE, async (buyer) => {
  const { orderId } = await placed();
  const clerk = new Clerk(buyer);
  await clerk.order(orderId);
  await buyer.context.route('**/sync', (route) => route.fulfill({ status: 403, json: { message: 'The security token included in the request is expired' } }));
  await clerk.at('#sync').click();
  await clerk.at('#sign-in-trouble').filter({ hasText: '만료' }).waitFor();
  assert.equal(await clerk.at('#order-view').isHidden(), true);
  await clerk.at('#sign-in-local').click();
  await clerk.isShown(orderId);
});

story('wrong keys are refused by the API, not by the page', DESKTOP, async (buyer) => {
  const clerk = await new Clerk(buyer).open('#/findings', { signIn: { kind: 'sigv4', region: REGION } });
  await clerk.at('#credentials').fill('AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=guess');
  await clerk.at('#sign-in-form button').click();
  await clerk.at('#sign-in-trouble').filter({ hasText: '권한이 없습니다' }).waitFor();
});

story('every part of a request is signed as the API checks it', DESKTOP, async (buyer) => {
  // A path and a query that have to be encoded, and once more for the signature.
  const clerk = await new Clerk(buyer).open('#/findings');
  await clerk.at('#findings').filter({ hasText: /./ }).waitFor();
  const answers = await clerk.page.evaluate(async () => {
    const api = await import('./api.js');
    const kind = (call) => call.then(() => 'answered', ({ kind: why, problem }) => `${why} ${problem.code}`);
    return Promise.all([kind(api.settle("ORPHAN~결제 1/2+(a)'*%")), kind(api.findings('ORPHAN#a b+c&d=e/한글~')), kind(api.search('a+b c&d=\'(*)'))]);
  });
  assert.deepEqual(answers, ['refused finding-not-found', 'answered', 'answered']);
});

story('a token of the provider opens the routes that a JWT authorizer guards, and the journal names who had it', { ...DESKTOP, start: startSystemWithTokens }, async (buyer, shop) => {
  const { orderId } = await placed({ at: shop });
  const clerk = await new Clerk(buyer).open(`#/orders/${orderId}`);
  await clerk.at('#sign-in-provider').waitFor();
  // A token that only looks like one: the page takes it, the API does not.
  const claims = Buffer.from(JSON.stringify({ sub: 'nobody' })).toString('base64url');
  await clerk.page.evaluate((token) => sessionStorage.setItem('console.session', JSON.stringify({ token })), `e30.${claims}.c2lnbmF0dXJl`);
  await clerk.page.reload();
  await clerk.at('#sign-in-trouble').filter({ hasText: /./ }).waitFor();
  assert.equal(await clerk.at('#order-view').isHidden(), true);

  await clerk.at('#sign-in-provider').click();
  await clerk.page.waitForURL(`${shop.url}login/authorize?*`);
  await clerk.page.getByRole('link', { name: 'kim@shop.example' }).click();
  await clerk.isShown(orderId);
  assert.equal(await clerk.at('#operator').innerText(), 'kim@shop.example');
  await clerk.cancels({ reason: '고객 요청' });
  await clerk.hasStatus('취소됨');
  await clerk.at('#journal').filter({ hasText: 'kim@shop.example' }).waitFor();
});

story('with a JWT authorizer one signs in at the provider, with code and PKCE, and the token goes along', DESKTOP, async (buyer) => {
  const issuer = 'https://login.example/pool';
  const claims = Buffer.from(JSON.stringify({ sub: 'u-1', email: 'operator@shop.example' })).toString('base64url');
  const token = `e30.${claims}.c2lnbmF0dXJl`;
  let authorized;
  let exchanged;
  const json = (body) => ({ json: body, headers: { 'Access-Control-Allow-Origin': '*' } });
  await buyer.context.route(`${issuer}/.well-known/openid-configuration`, (route) => route.fulfill(json({ authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` })));
  await buyer.context.route(`${issuer}/authorize?*`, (route) => {
    authorized = new URL(route.request().url()).searchParams;
    const back = new URL(authorized.get('redirect_uri'));
    back.search = new URLSearchParams({ code: 'c-1', state: authorized.get('state') });
    return route.fulfill({ status: 302, headers: { Location: String(back) } });
  });
  await buyer.context.route(`${issuer}/token`, (route) => {
    exchanged = new URLSearchParams(route.request().postData());
    return route.fulfill(json({ access_token: token }));
  });
  let authorization;
  await buyer.context.route('**/findings', (route) => {
    authorization = route.request().headers().authorization;
    return route.fulfill({ json: { findings: [], next: null } });
  });

  const clerk = await new Clerk(buyer).open('#/findings', { signIn: { kind: 'jwt', issuer, clientId: 'console', scope: 'openid orders' } });
  await clerk.at('#sign-in-provider').click();
  await clerk.at('#findings').filter({ hasText: '확인할 일이 없습니다' }).waitFor();
  assert.equal(authorization, `Bearer ${token}`);
  assert.equal(await clerk.at('#operator').innerText(), 'operator@shop.example');
  assert.equal(clerk.page.url(), `${system.url}operator/#/findings`, 'the code is no part of the address any more');
  assert.deepEqual([authorized.get('response_type'), authorized.get('client_id'), authorized.get('scope')], ['code', 'console', 'openid orders']);
  const challenge = createHash('sha256').update(exchanged.get('code_verifier')).digest('base64url');
  assert.deepEqual([authorized.get('code_challenge_method'), authorized.get('code_challenge')], ['S256', challenge]);
  assert.deepEqual([exchanged.get('code'), exchanged.get('redirect_uri')], ['c-1', authorized.get('redirect_uri')]);

  // Somebody else's answer is nobody's sign-in.
  await clerk.at('#sign-out').click();
  await clerk.page.evaluate(() => sessionStorage.setItem('console.signing-in', JSON.stringify({ verifier: 'v', state: 'mine', view: '' })));
  await clerk.page.goto(`${system.url}operator/?code=c-2&state=theirs`);
  await clerk.at('#sign-in-trouble').filter({ hasText: '로그인하지 못했습니다' }).waitFor();
  assert.equal(await clerk.at('#views').isHidden(), true);
});
