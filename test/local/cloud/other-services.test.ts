import type { LoopbackServer } from '../../../local/http/loopback-server';
import { startOtherServices } from '../../../local/cloud/other-services';
import { send } from '../../support/signed-request';

let services: LoopbackServer;
beforeAll(async () => {
  services = await startOtherServices();
});
afterAll(() => services.close());

test.each([
  ['sqs', 'application/x-amz-json-1.0', 'AmazonSQS.ListQueues', '', 'application/json', 'sqs:ListQueues'],
  ['lambda', 'application/json', '', '{}', 'application/json', 'lambda:POST /?a&b=<'],
  [
    'sts',
    'application/x-www-form-urlencoded',
    '',
    'Action=GetCallerIdentity',
    'text/xml',
    'sts:GetCallerIdentity',
  ],
  ['s3', 'application/xml', '', '<a/>', 'text/xml', 's3:POST /?a&amp;b=&lt;'],
])('the endpoint of other services refuses %s of type %s by name', async (service, ...given) => {
  const [type, target, body, answered, name] = given;
  // Nobody verifies the signature.
  const scope = `20260102/us-east-1/${service}/aws4_request`;
  const headers = {
    authorization: `AWS4-HMAC-SHA256 Credential=AKID/${scope}, SignedHeaders=host, Signature=0`,
    ...{ 'content-type': type, 'x-amz-target': target },
  };
  const request = { method: 'POST', path: '/?a&b=<', headers, body };
  const answer = await send(services.endpoint, request, headers);
  expect([answer.status, answer.headers['content-type']]).toEqual([400, answered]);
  expect(answer.headers['x-amzn-errortype']).toBe('UnknownOperationException');
  expect(answer.body).toContain(`the local cloud does not support ${name}`);
});
