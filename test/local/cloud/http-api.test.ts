/** Serves the HTTP APIs that CDK's constructs make, over TLS. */
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer, HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import {
  HttpLambdaIntegration,
  HttpStepFunctionsIntegration,
} from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { LocalCloud } from '../../../local';
import { type JsonAnswer, request } from '../../support/signed-request';
import { PipelineStack, start, synthesize } from '../../support/pipeline-app';

/** Returns the request or the function's credentials, or never answers. */
const ECHO = `exports.handler = async ({ request }) => {
  if (request.hang) await new Promise(() => setInterval(() => undefined, 1000));
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = process.env;
  if (request.sign) return { accessKeyId, secretAccessKey, sessionToken: process.env.AWS_SESSION_TOKEN };
  return request;
};`;

function assembly(change: (stack: PipelineStack, api: apigateway.HttpApi) => void): string {
  return synthesize((app) => {
    const stack = new PipelineStack(app, 'Front', { source: ECHO });
    change(stack, new apigateway.HttpApi(stack, 'Api', { corsPreflight: { allowOrigins: ['*'] } }));
  });
}

function integration(
  stack: PipelineStack,
  id: string,
  parameters: Readonly<Record<string, string>> = { Input: '$request.body' },
  subtype = apigateway.HttpIntegrationSubtype.STEPFUNCTIONS_START_SYNC_EXECUTION,
): HttpStepFunctionsIntegration {
  const { machine: stateMachine } = stack;
  const parameterMapping = new apigateway.ParameterMapping();
  const all = { StateMachineArn: stateMachine.stateMachineArn, ...parameters };
  for (const [name, value] of Object.entries(all)) parameterMapping.custom(name, value);
  return new HttpStepFunctionsIntegration(id, { stateMachine, subtype, parameterMapping });
}

type Request = NonNullable<Parameters<typeof request>[2]>;

function ask(cloud: LocalCloud, route: string, options: Request = {}): Promise<JsonAnswer> {
  return request(`${cloud.httpEndpoint ?? ''}${route}`, cloud.s3.certificateAuthority.pem, options);
}

const POST = [apigateway.HttpMethod.POST];
const { STEPFUNCTIONS_START_EXECUTION: START } = apigateway.HttpIntegrationSubtype;

function integrations(api: apigateway.HttpApi): apigateway.CfnIntegration[] {
  return api.node.findAll().filter((node) => node instanceof apigateway.CfnIntegration);
}

describe('the HTTP API of a stack', () => {
  let cloud: LocalCloud;
  beforeAll(async () => {
    const folder = assembly((stack, api) => {
      const add = (
        route: string,
        parameters?: Readonly<Record<string, string>>,
        more: Partial<apigateway.AddRoutesOptions> = {},
      ) => {
        const to = integration(stack, route, parameters);
        api.addRoutes({ path: route, methods: POST, integration: to, ...more });
      };
      add('/late');
      for (const late of integrations(api)) late.timeoutInMillis = 50;
      add('/open');
      add('/empty', {});
      add('/named', { Name: 'mine', Input: '$request.body' });
      add('/field', { Input: '$request.body.inner' });
      add('/pets/{id}');
      add('/signed', undefined, { authorizer: new HttpIamAuthorizer() });
      add('/token', undefined, {
        authorizer: new HttpJwtAuthorizer('Jwt', 'https://issuer.example', { jwtAudience: ['me'] }),
      });
      const started = integration(stack, '/started', undefined, START);
      const [route] = api.addRoutes({
        ...{ path: '/started', methods: POST, integration: started },
        authorizer: new HttpIamAuthorizer(),
      });
      route.grantInvoke(stack.slice);
      const lambda = new HttpLambdaIntegration('Lambda', stack.slice);
      api.addRoutes({ path: '/lambda', methods: [apigateway.HttpMethod.GET], integration: lambda });
    });
    cloud = await start(folder);
  });

  test('starts the state machine with the body and returns what Step Functions returns', async () => {
    const { status, headers, body } = await ask(cloud, '/open', { body: '{"text":"hello"}' });
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json');
    expect(body).toMatchObject({
      status: 'SUCCEEDED',
      input: '{"text":"hello"}',
      output: '{"text":"hello"}',
      stateMachineArn: cloud.stateMachine.stateMachineArn,
    });
  });

  test('passes constants, and an empty object without a mapping of the input', async () => {
    const named = await ask(cloud, '/named', { body: '{"a":1}' });
    expect(named.body).toMatchObject({ name: 'mine', output: '{"a":1}' });
    expect((await ask(cloud, '/empty', { body: 'ignored' })).body).toMatchObject({ output: '{}' });
  });

  const [refused, hanging] = [{ body: 'no JSON' }, { body: '{"hang":true}' }];
  const deep = { body: `${'['.repeat(100_000)}${']'.repeat(100_000)}` };
  const tooLarge = { body: Buffer.alloc(10_485_761, ' ') };
  test.each<[string, number, object, string, Request]>([
    ['a malformed path', 400, { message: 'Bad Request' }, '/%E0%A4%A', {}],
    ['an input that is no JSON', 400, { __type: 'InvalidExecutionInput' }, '/open', refused],
    ['an input that is nested too deeply', 400, { __type: 'InvalidExecutionInput' }, '/open', deep],
    ['another host', 403, { message: 'Forbidden' }, '/open', { headers: { host: 'page.example' } }],
    ['a body of more than 10 MB', 413, { message: 'Request Entity Too Large' }, '/open', tooLarge],
    ['an execution beyond the time limit', 503, { message: 'Service Unavailable' }, '/late', hanging],
  ])('answers a request of %s with %i', async (_, status, body, route, options) => {
    expect(await ask(cloud, route, options)).toMatchObject({ status, body });
  });

  test.each([
    [
      '/lambda',
      'GET',
      /^the local cloud does not support the integration '\w+' of type "AWS_PROXY" "": deploy/,
    ],
    [
      '/token',
      'POST',
      /^the local cloud does not support the AuthorizationType "JWT" of AWS::ApiGatewayV2::Route/,
    ],
    ['/field', 'POST', /^the local cloud does not support the parameter "\$request.body.inner" of AWS::/],
    ['/pets/7', 'POST', /^the local cloud does not support the route keys 'POST \/pets\/\{id\}': /],
  ])('names what it cannot serve of the route %s', async (route, method, message) => {
    const answer = { status: 501, body: { message: expect.stringMatching(message) as string } };
    expect(await ask(cloud, route, { method })).toMatchObject(answer);
  });

  test('lets a signed request of a permitted caller pass and forbids others', async () => {
    const { credentials } = cloud.s3;
    const body = '{"signed":true}';
    const send = (signing?: Request['signing']) => ask(cloud, '/signed', { body, signing });
    expect(await send({ credentials })).toMatchObject({ status: 200, body: { output: body } });
    const others = [
      undefined,
      { credentials, service: 'states' },
      { credentials, region: 'eu-west-1' },
      { credentials: { ...credentials, secretAccessKey: 'wrong' } },
    ];
    for (const signing of others) {
      expect(await send(signing)).toMatchObject({ status: 403, body: { message: 'Forbidden' } });
    }
    // The answers do not say why. The notices do.
    const refused = 'the HTTP API refused a request with 403: its signature has ';
    expect(cloud.notices()).toEqual(
      expect.arrayContaining([
        ...['no signature', 'wrong service', 'wrong region', 'no match'].map((fault) => refused + fault),
      ]),
    );
  });

  test('lets a function call as far as its role may', async () => {
    const result = await cloud.execute({ sign: true });
    if (result.status !== 'SUCCEEDED') throw new Error(result.cause);
    const options = { body: '{}', signing: { credentials: result.output } } as unknown as Request;
    const { status, body } = await ask(cloud, '/started', options);
    // Nobody waits for an execution that StartExecution starts.
    expect([status, Object.keys(body as object)]).toEqual([200, ['executionArn', 'startDate']]);
    expect(await ask(cloud, '/signed', options)).toMatchObject({ status: 403 });
  });
});

test.each<[string, (role: iam.Role) => void, number, object, string]>([
  [
    'be allowed to start executions',
    (role) => {
      const denied = { effect: iam.Effect.DENY, actions: ['states:StartSyncExecution'], resources: ['*'] };
      role.addToPolicy(new iam.PolicyStatement(denied));
    },
    400,
    { __type: 'AccessDeniedException' },
    'BackplaneAssumeRoleSession is not authorized to perform: states:StartSyncExecution on resource: ',
  ],
  [
    'trust API Gateway',
    (role) => {
      const service = 'AssumeRolePolicyDocument.Statement.0.Principal.Service';
      (role.node.defaultChild as iam.CfnRole).addPropertyOverride(service, 'lambda.amazonaws.com');
    },
    500,
    { message: 'Internal Server Error' },
    'API Gateway may not assume the IAM role',
  ],
])('the role of an integration must %s', async (_, change, status, body, notice) => {
  const folder = assembly((stack, api) => {
    api.addRoutes({ path: '/open', methods: POST, integration: integration(stack, 'Open') });
    const roles = stack.node.findAll().filter((node) => node instanceof iam.Role);
    for (const role of roles) if (role.node.id === 'InvokeRole') change(role);
  });
  const cloud = await start(folder);
  expect(await ask(cloud, '/open', { body: '{}' })).toMatchObject({ status, body });
  expect(cloud.notices().join()).toContain(notice);
});
