/**
 * Reads the HTTP API of a template that starts state machines. Routes to something else answer with an error that names it. Settings of the API
 * and of its stages, such as CORS, throttling and access logs, have no effect.
 */
import { LocalCloudError, unsupported } from '../local-cloud-error';
import { entriesOf, type Json } from '../json';
import { checkFields, type Resource, unknownValue, whereOf } from '../cloudformation/resource';
import { referenceTo } from '../cloudformation/physical-ids';
import type { Template } from '../cloudformation/template';
import { BODY, type HttpApi, type Integration, type Route, STAGE } from './http-api';

interface MachineNames {
  /** ARNs of those that run. */
  readonly running: ReadonlySet<string>;
  /** Why others do not run, by ARN. */
  readonly refused: ReadonlyMap<string, string>;
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */
const DEFAULT_TIMEOUT_MS = 30_000;

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html */
const ACTIONS = ['StartExecution', 'StartSyncExecution'] as const;

/** The parameters of both actions, with the names that Step Functions gives them. */
const PARAMETERS = new Map([
  ['Input', 'input'],
  ['Name', 'name'],
]);

/**
 * @returns `undefined` if the template has no HTTP API that starts a state machine
 * @throws LocalCloudError for several of them, and for settings that the local cloud does not know
 */
export function readHttpApi(template: Template, machines: MachineNames): HttpApi | undefined {
  const ids = new Set(
    template
      .resourcesOfType('AWS::ApiGatewayV2::Integration')
      .filter(({ properties: { IntegrationSubtype: subtype } }) => isStart(subtype))
      .map((integration) => template.text(integration, 'ApiId')),
  );
  const id = [...ids].at(0);
  if (id === undefined) return undefined;
  if (ids.size > 1) {
    throw unsupported(`the ${ids.size} HTTP APIs of the stack '${template.stackName}'`, 'keep one of them');
  }
  const of = (type: string): Resource[] =>
    template
      .resourcesOfType(`AWS::ApiGatewayV2::${type}`)
      .filter((resource) => template.property(resource, 'ApiId') === id);
  for (const stage of of('Stage')) {
    const name = template.text(stage, 'StageName');
    if (name !== STAGE) throw unknownValue(stage, 'StageName', name);
  }
  const refusedKeys: string[] = [];
  const routes = of('Route').flatMap((route): Route[] => {
    const text = template.text(route, 'RouteKey');
    const parts = /^([A-Z]+) (\/[^\s{}]*)$/.exec(text);
    if (parts === null) {
      refusedKeys.push(text);
      return [];
    }
    const key = { text, method: parts[1], path: parts[2] };
    const authorization = template.property(route, 'AuthorizationType') ?? 'NONE';
    if (authorization !== 'NONE' && authorization !== 'AWS_IAM') {
      // The route is open to nobody.
      const integration = unknownValue(route, 'AuthorizationType', authorization);
      return [{ key, authorization: 'NONE', integration }];
    }
    return [{ key, authorization, integration: readIntegration(template, route, machines) }];
  });
  return {
    id,
    ...{ routes, refusedKeys },
    roleArns: routes.flatMap(({ integration }) =>
      integration instanceof LocalCloudError ? [] : integration.roleArn,
    ),
  };
}

/** The subtype is not resolved, because an integration of another kind may refer to anything. */
function isStart(subtype: Json | undefined): boolean {
  return typeof subtype === 'string' && subtype.startsWith('StepFunctions-');
}

function readIntegration(
  template: Template,
  route: Resource,
  machines: MachineNames,
): Integration | LocalCloudError {
  const target = template.text(route, 'Target');
  const id = target.replace(/^integrations\//, '');
  const resource = template
    .resourcesOfType('AWS::ApiGatewayV2::Integration')
    .find((candidate) => referenceTo(template, candidate) === id);
  if (resource === undefined) return unsupported(`the target of ${whereOf(route)}`);
  const { IntegrationType: type = '', IntegrationSubtype: subtype = '' } = resource.properties;
  const action = ACTIONS.find((name) => subtype === `StepFunctions-${name}`);
  if (action === undefined) {
    const kind = [type, subtype].map((name) => JSON.stringify(name)).join(' ');
    return unsupported(`the integration '${resource.logicalId}' of type ${kind}`);
  }
  const { StateMachineArn: machine = null, ...parameters } = checkFields(
    resource,
    'RequestParameters',
    template.property(resource, 'RequestParameters') ?? {},
    ['Region', 'StateMachineArn', 'TraceHeader', ...PARAMETERS.keys()],
  );
  if (typeof machine !== 'string' || !machines.running.has(machine)) {
    const reason = typeof machine === 'string' ? machines.refused.get(machine) : undefined;
    if (reason !== undefined) return new LocalCloudError(reason);
    return unsupported(
      `the state machine ${JSON.stringify(machine)} of ${whereOf(resource)}, which is none of the stack`,
    );
  }
  const roleArn = template.text(resource, 'CredentialsArn');
  // Such as arn:aws:iam::*:user/*, with which the caller's own permissions decide.
  if (!roleArn.includes(':role/')) throw unknownValue(resource, 'CredentialsArn', roleArn);
  const mapped: [string, string][] = [];
  for (const [name, value] of entriesOf(parameters)) {
    const known = PARAMETERS.get(name);
    if (known === undefined) continue;
    if (typeof value !== 'string' || (value !== BODY && /^\$|\$\{/.test(value)))
      return unsupported(`the parameter ${JSON.stringify(value)} of ${whereOf(resource)}`);
    mapped.push([known, value]);
  }
  return {
    ...{ action, roleArn, stateMachineArn: machine, parameters: mapped },
    timeoutMs: Number(template.property(resource, 'TimeoutInMillis') ?? DEFAULT_TIMEOUT_MS),
  };
}
