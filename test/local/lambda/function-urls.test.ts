/** Answers of a function at its URL: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads */
import { FunctionUrls } from '../../../local/lambda/function-urls';

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:f:live';

const open: FunctionUrls[] = [];
afterAll(() => Promise.all(open.map((urls) => urls.close())));

/** A request to a function that answers with this text. */
async function answered(payload: string): Promise<Response> {
  const urls = new FunctionUrls({
    functions: {
      call: () => Promise.resolve({ payload, failed: false, requestId: '', executedVersion: '1' }),
    },
    ...{ callers: {}, injector: { active: false }, onNotice: () => undefined },
    authorizer: { region: 'us-east-1', firstRefusal: () => undefined },
  } as never);
  open.push(urls);
  await urls.serve([{ functionArn: ARN, authType: 'NONE', policy: { statements: [] } }]);
  return await fetch(urls.endpoints().get(ARN) ?? '');
}

it.each([
  ['an object', '{"a":1}'],
  ['a text', '"a"'],
  ['null', 'null'],
])('%s without a status is the body, as JSON', async (_, payload) => {
  const answer = await answered(payload);
  expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
    200,
    'application/json',
    payload,
  ]);
});

it('an empty payload is an empty body', async () => {
  expect(await (await answered('')).text()).toBe('');
});

it('a response has its status, headers, cookies and body', async () => {
  const answer = await answered(
    JSON.stringify({
      ...{ statusCode: 201, body: 'é', cookies: ['a=1', 'b=2'] },
      headers: { 'Content-Type': 'text/plain', 'X-Number': 7, 'Content-Length': '99' },
    }),
  );
  expect(answer.status).toBe(201);
  expect(await answer.text()).toBe('é');
  const headers = ['content-type', 'x-number', 'content-length'].map((name) => answer.headers.get(name));
  expect(headers).toEqual(['text/plain', '7', '2']);
  expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
});

it('a response may have bytes in base64, or no body', async () => {
  const bytes = await answered('{"statusCode":200,"body":"/wA=","isBase64Encoded":true}');
  expect([...new Uint8Array(await bytes.arrayBuffer())]).toEqual([0xff, 0]);
  expect(await (await answered('{"statusCode":204}')).text()).toBe('');
});

it.each([
  ['a status that is none', '{"statusCode":99}'],
  ['a status that is no number', '{"statusCode":"OK"}'],
  ['headers that are no object', '{"statusCode":200,"headers":[]}'],
  ['a body that is no text', '{"statusCode":200,"body":{}}'],
  ['a header with a line break', '{"statusCode":200,"headers":{"a":"b\\r\\nc: d"}}'],
])('%s makes the answer a 502', async (_, payload) => {
  const answer = await answered(payload);
  expect([answer.status, await answer.json()]).toEqual([502, { Message: 'Internal Server Error' }]);
});
