/**
 * Draws ../openapi.json. What it says is `Korean / English` throughout; one of them is shown.
 */

const GROUPS = { shop: ['쇼핑몰 페이지', 'The shop’s page'], operators: ['운영자', 'Operators'], portone: ['포트원', 'PortOne'] };
const CALLERS = {
  orderToken: ['주문 토큰 (Authorization: Bearer)', 'The order’s token (Authorization: Bearer)'],
  operatorIam: ['운영자: AWS SigV4', 'Operators: AWS SigV4'],
  operatorJwt: ['운영자: JWT', 'Operators: JWT'],
  webhookId: ['포트원의 서명 (webhook-id, -timestamp, -signature)', 'PortOne’s signature (webhook-id, -timestamp, -signature)'],
};
const WORDS = {
  anybody: ['누구나', 'Anybody'],
  or: ['또는', 'or'],
  caller: ['부르는 이', 'Called by'],
  parameters: ['매개변수', 'Parameters'],
  body: ['요청 본문', 'Request body'],
  answers: ['답', 'Answers'],
  example: ['예', 'Example'],
  required: ['필수', 'required'],
  oneOf: ['다음 중 하나', 'one of'],
  gateway: ['API Gateway', 'API Gateway'],
  failed: ['openapi.json을 읽지 못했습니다.', 'openapi.json cannot be read.'],
};

/** Headers of every answer, or of every problem. */
const COMMON = ['Traceparent', 'Content-Language'];

let language = localStorage.getItem('language') === 'en' ? 'en' : 'ko';
const say = ([korean, english]) => (language === 'en' ? english : korean);

/** One language of a text that has both. */
function pick(text = '') {
  const [korean, english = korean] = text.includes('\n\n') ? text.split('\n\n') : text.split(/ \/ (.*)/s);
  return language === 'en' ? english : korean;
}

/** An element with attributes and children; what is empty is left out. */
function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) if (value) node.setAttribute(name, value);
  node.append(...children.flat(Infinity).filter(Boolean));
  return node;
}

let api;

const resolve = (part) => (part?.$ref ? { ...resolve(part.$ref.slice(2).split('/').reduce((at, name) => at[name], api)), ...without(part) } : part);
const without = ({ $ref, ...rest }) => rest;
const isNull = (schema) => schema.type === 'null';

/** A schema in a few words: its type, its words, its limits. */
function kind(schema) {
  const choices = schema.anyOf?.filter((choice) => !isNull(choice));
  if (choices?.length === 1) return `${kind(resolve(choices[0]))} | null`;
  if (choices) return say(WORDS.oneOf);
  const type = [schema.type].flat().filter(Boolean).join(' | ');
  if (type.startsWith('array')) return `${kind(resolve(schema.items))}[]`;
  const { minimum, maximum, minLength, maxLength, minItems, maxItems } = schema;
  const range = (least, most, unit = '') => (least || most) && most !== 9223372036854775807 ? `${least ?? ''}…${most ?? ''}${unit}` : '';
  return [schema.enum ? schema.enum.join(' · ') : type, schema.format === 'date-time' && 'RFC 3339', range(minimum, maximum), range(minLength, maxLength), range(minItems, maxItems)].filter(Boolean).join(' ');
}

/** The members of a schema, those of its parts below them. */
function members(schema, depth = 0) {
  schema = resolve(schema);
  const choices = schema.anyOf?.filter((choice) => !isNull(choice));
  if (choices?.length === 1) return members(choices[0], depth);
  if (choices) {
    return choices.map((choice) => make('div', { class: 'choice' }, make('p', { class: 'name' }, pick(choice.description ?? resolve(choice).description)), members(choice, depth)));
  }
  if ([schema.type].flat().includes('array')) return members(schema.items, depth);
  if (!schema.properties) return [];
  const required = schema.required ?? [];
  const names = [...required, ...Object.keys(schema.properties).filter((name) => !required.includes(name))];
  const rows = names.map((name) => {
    const member = resolve(schema.properties[name]);
    return make('li', {},
      make('p', {}, make('code', { class: 'name' }, name), ' ', make('span', { class: 'kind' }, kind(member)), ' ', required.includes(name) && make('span', { class: 'required' }, say(WORDS.required))),
      make('p', { class: 'says' }, pick(member.description)),
      members(member, depth + 1));
  });
  return [make('ul', { class: 'members' }, rows)];
}

function examples({ example, examples: named }) {
  const all = named ? Object.entries(named).map(([name, value]) => [name, resolve(value).value]) : example ? [['', example]] : [];
  return all.map(([name, value]) => make('details', {}, make('summary', {}, [say(WORDS.example), name].filter(Boolean).join(': ')), make('pre', { tabindex: '0' }, JSON.stringify(value, null, 2))));
}

/** The problems of an answer: code, and what is said. */
const problems = ({ examples: named }) => make('ul', { class: 'problems' }, Object.entries(named).map(([code, value]) => make('li', {}, make('code', {}, code), make('span', {}, pick(resolve(value).summary)))));

function answer([status, response]) {
  response = resolve(response);
  const { 'application/json': json, 'application/problem+json': problem } = response.content ?? {};
  const isGateway = json?.schema?.$ref?.endsWith('/GatewayMessage');
  return make('section', { class: 'answer' },
    make('h4', {}, make('code', { class: `status s${status[0]}` }, status), ' ', !problem || (json && !isGateway) ? pick(response.description.split(' · `')[0]) : ''),
    make('p', { class: 'headers' }, Object.keys(response.headers ?? {}).filter((name) => !COMMON.includes(name)).map((name) => make('code', {}, name))),
    problem && problems(problem),
    json && !isGateway && [members(json.schema), examples(json)],
    isGateway && make('p', { class: 'says' }, say(WORDS.gateway), ': ', make('code', {}, '{ "message": … }')));
}

function caller(choices) {
  const named = choices.map((choice) => (Object.keys(choice).length ? say(CALLERS[Object.keys(choice)[0]]) : say(WORDS.anybody)));
  return (named.length ? named : [say(WORDS.anybody)]).join(` ${say(WORDS.or)} `);
}

function operation(method, path, about) {
  const body = about.requestBody?.content['application/json'];
  const parameters = about.parameters.map(resolve);
  return make('article', { id: about.operationId, 'aria-labelledby': `${about.operationId}-title` },
    make('h3', { id: `${about.operationId}-title` }, pick(about.summary)),
    make('p', { class: 'route' }, make('code', { class: `method ${method}` }, method.toUpperCase()), ' ', make('code', {}, path)),
    about.description && make('p', {}, pick(about.description)),
    make('p', { class: 'says' }, `${say(WORDS.caller)}: ${caller(about.security)}`),
    make('h4', {}, say(WORDS.parameters)),
    make('ul', { class: 'members' }, parameters.map((parameter) => make('li', {},
      make('p', {}, make('code', { class: 'name' }, parameter.name), ' ', make('span', { class: 'kind' }, parameter.in), ' ', parameter.required && make('span', { class: 'required' }, say(WORDS.required))),
      make('p', { class: 'says' }, pick(parameter.description))))),
    body && make('h4', {}, say(WORDS.body)),
    body && about.requestBody.description && make('p', { class: 'says' }, pick(about.requestBody.description)),
    body && [members(body.schema), examples(body)],
    make('h4', {}, say(WORDS.answers)),
    Object.entries(about.responses).map(answer));
}

function draw() {
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll('[data-en]')) {
    node.dataset.ko ??= node.textContent;
    node.textContent = language === 'en' ? node.dataset.en : node.dataset.ko;
  }
  const routes = document.getElementById('routes');
  routes.setAttribute('aria-label', say(['길', routes.dataset.enLabel]));
  const button = document.getElementById('language');
  [button.textContent, button.lang] = language === 'en' ? ['한국어', 'ko'] : ['English', 'en'];
  if (!api) return;
  document.title = document.getElementById('title').textContent = `${pick(api.info.title)} API`.replace('API API', 'API');
  document.getElementById('intro').replaceChildren(make('p', {}, pick(api.info.description)));
  const all = Object.entries(api.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, about]) => ({ method, path, about })));
  const groups = api.tags.map(({ name }) => ({ name, own: all.filter(({ about }) => about.tags.includes(name)) }));
  routes.replaceChildren(...groups.flatMap(({ name, own }) => [
    make('h2', {}, say(GROUPS[name])),
    make('ul', {}, own.map(({ method, path, about }) => make('li', {}, make('a', { href: `#${about.operationId}` }, pick(about.summary), make('small', {}, `${method.toUpperCase()} ${path}`))))),
  ]));
  document.getElementById('operations').replaceChildren(...groups.flatMap(({ name, own }) => [
    make('h2', {}, say(GROUPS[name])), ...own.map(({ method, path, about }) => operation(method, path, about))]));
}

document.getElementById('language').addEventListener('click', () => {
  language = language === 'en' ? 'ko' : 'en';
  localStorage.setItem('language', language);
  draw();
});

draw();
try {
  api = await (await fetch('../openapi.json')).json();
  draw();
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
} catch (error) {
  document.getElementById('status').textContent = say(WORDS.failed);
  throw error;
}
