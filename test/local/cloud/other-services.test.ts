import type { LoopbackServer } from '../../../local/http/loopback-server';
import { startOtherServices } from '../../../local/cloud/other-services';
import { send } from '../../support/signed-request';

let services: LoopbackServer;
beforeAll(async () => {
  services = await startOtherServices();
});
afterAll(() => services.close());

/** A header as the SDK signs for a service. Nobody verifies its signature. */
function signedFor(service: string): Record<string, string> {
  const scope = `20260102/us-east-1/${service}/aws4_request`;
  return {
    authorization: `AWS4-HMAC-SHA256 Credential=AKID/${scope}, SignedHeaders=host, Signature=0`,
  };
}

describe('the endpoint of other services', () => {
  test.each<[string, string, Record<string, string>, string, string]>([
    ['JSON', 'POST /', { ...signedFor('sqs'), 'x-amz-target': 'AmazonSQS.ListQueues' }, '', 'sqs:ListQueues'],
    ['REST', 'GET /2015-03-31/functions', signedFor('lambda'), '', 'lambda:GET /2015-03-31/functions'],
    ['no signature', 'PUT /a', {}, 'x'.repeat(200_000), 'unsigned-request:PUT /a'],
  ])('refuses a request by name, with %s', async (_, line, headers, body, name) => {
    const [method, path] = line.split(' ');
    const answer = await send(services.endpoint, { method, path, headers, body }, headers);
    expect([answer.status, answer.headers['x-amzn-errortype']]).toEqual([400, 'UnknownOperationException']);
    expect(JSON.parse(answer.body)).toEqual({
      __type: 'UnknownOperationException',
      message: `the local cloud does not support ${name}`,
    });
  });

  test.each([
    ['application/x-www-form-urlencoded', 'Version=1&Action=GetCallerIdentity', 'sts:GetCallerIdentity'],
    ['application/xml', '<a/>', 'sts:POST /?a&amp;b=&lt;'],
  ])('answers in XML to %s', async (type, body, name) => {
    const headers = { ...signedFor('sts'), 'content-type': type };
    const answer = await send(services.endpoint, { method: 'POST', path: '/?a&b=<', headers, body }, headers);
    expect([answer.status, answer.headers['content-type']]).toEqual([400, 'text/xml']);
    expect(answer.body).toBe(
      '<ErrorResponse><Error><Type>Sender</Type><Code>UnknownOperationException</Code>' +
        `<Message>the local cloud does not support ${name}</Message></Error></ErrorResponse>`,
    );
  });
});
