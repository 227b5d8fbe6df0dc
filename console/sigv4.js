/**
 * AWS Signature Version 4 in its header form, with the browser's own cryptography: what API Gateway's IAM authorizer
 * asks of a request. (AWS General Reference, "Create a signed AWS API request".)
 */
const encoder = new TextEncoder();
const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
const sha256 = async (text) => hex(await crypto.subtle.digest('SHA-256', encoder.encode(text)));

async function hmac(key, text) {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return crypto.subtle.sign('HMAC', imported, encoder.encode(text));
}

/** RFC 3986: everything but letters, digits and `-._~`. */
export const encoded = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/** The headers that make a request the holder's of these keys, `headers` among them. `url` is encoded as it is sent. */
export async function sign({ method, url, headers = {}, body = '' }, { accessKeyId, secretAccessKey, sessionToken }, region, now = new Date()) {
  const { host, pathname, searchParams } = new URL(url);
  const date = now.toISOString().replace(/[-:]|\.\d+/g, '');
  const all = { ...headers, 'x-amz-date': date, ...(sessionToken && { 'x-amz-security-token': sessionToken }) };
  const signed = Object.entries({ ...all, host }).map(([name, value]) => [name.toLowerCase(), String(value).trim().replace(/ +/g, ' ')]);
  signed.sort(([one], [other]) => (one < other ? -1 : 1));
  const names = signed.map(([name]) => name).join(';');

  // Every service but S3 takes the path encoded once more.
  const path = pathname.split('/').map(encoded).join('/');
  const query = [...searchParams].map(([name, value]) => `${encoded(name)}=${encoded(value)}`).sort().join('&');
  const canonical = [method, path, query, ...signed.map(([name, value]) => `${name}:${value}`), '', names, await sha256(body)].join('\n');

  const scope = [date.slice(0, 8), region, 'execute-api', 'aws4_request'];
  let key = encoder.encode(`AWS4${secretAccessKey}`);
  for (const part of scope) key = await hmac(key, part);
  const signature = hex(await hmac(key, ['AWS4-HMAC-SHA256', date, scope.join('/'), await sha256(canonical)].join('\n')));
  return { ...all, authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope.join('/')}, SignedHeaders=${names}, Signature=${signature}` };
}
