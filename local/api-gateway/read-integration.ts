/** Reads the integration of a route: the start of a state machine, or something that the local cloud does not have. */
import { LocalCloudError, unsupported } from '../local-cloud-error';
import { entriesOf } from '../json';
import { checkFields, checkProperties, type Resource, unknownValue } from '../cloudformation/resource';
import { referenceTo } from '../cloudformation/physical-ids';
import type { Template } from '../cloudformation/template';
import type { Integration, StartAction } from './http-api';
import { MAX_INTEGRATION_MS, MIN_INTEGRATION_MS } from './limits';
import { parseParameter } from './parameter-mapping';

export interface MachineNames {
  /** ARNs of those that run. */
  readonly running: ReadonlySet<string>;
  /** Why others do not run, by ARN. */
  readonly refused: ReadonlyMap<string, string>;
}

const PROPERTIES = {
  used: [
    'ApiId',
    'ConnectionType',
    'CredentialsArn',
    'IntegrationSubtype',
    'IntegrationType',
    'PayloadFormatVersion',
    'RequestParameters',
    'TimeoutInMillis',
  ],
  withoutEffect: ['Description'],
};

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html */
const ACTIONS: readonly StartAction[] = ['StartExecution', 'StartSyncExecution'];

/** The parameters of both actions, with the names that Step Functions gives them. */
const PARAMETERS = new Map([
  ['Input', 'input'],
  ['Name', 'name'],
  ['TraceHeader', 'traceHeader'],
]);

export function readIntegration(
  template: Template,
  route: Resource,
  machines: MachineNames,
): Integration | LocalCloudError {
  const resource = integrationOf(template, route);
  if (resource === undefined) return unsupported(`the target of ${route.type} '${route.logicalId}'`);
  const { IntegrationType: type = '', IntegrationSubtype: subtype } = resource.properties;
  // It may refer to anything, so it is not resolved.
  if (typeof subtype !== 'string')
    return unsupported(`the integration '${resource.logicalId}' of type ${JSON.stringify(type)}`);
  const action = ACTIONS.find((name) => subtype === `StepFunctions-${name}`);
  if (action === undefined)
    return unsupported(`the integration '${resource.logicalId}' of subtype ${subtype}`);
  checkProperties(resource, PROPERTIES);
  const where = `${resource.type} '${resource.logicalId}'`;
  const { StateMachineArn: machine = null, ...parameters } = checkFields(
    resource,
    'RequestParameters',
    template.property(resource, 'RequestParameters') ?? {},
    ['Region', 'StateMachineArn', ...PARAMETERS.keys()],
  );
  if (typeof machine !== 'string' || !machines.running.has(machine)) {
    const reason = typeof machine === 'string' ? machines.refused.get(machine) : undefined;
    if (reason !== undefined) return new LocalCloudError(reason);
    return unsupported(
      `the state machine ${JSON.stringify(machine)} of ${where}, which is none of the stack`,
    );
  }
  const { Region: region = template.environment.region } = parameters;
  if (region !== template.environment.region)
    throw unknownValue(resource, 'RequestParameters.Region', region);
  return {
    action,
    roleArn: roleOf(template, resource),
    stateMachineArn: machine,
    parameters: entriesOf(parameters).flatMap(([name, value]) => {
      const known = PARAMETERS.get(name);
      return known === undefined ? [] : [[known, parseParameter(value, where)] as const];
    }),
    timeoutMs: readTimeout(template, resource),
  };
}

/** The integration in `integrations/id`. */
function integrationOf(template: Template, route: Resource): Resource | undefined {
  const [, id] = /^integrations\/(.+)$/.exec(template.text(route, 'Target')) ?? [];
  return template
    .resourcesOfType('AWS::ApiGatewayV2::Integration')
    .find((candidate) => referenceTo(template, candidate) === id);
}

function roleOf(template: Template, resource: Resource): string {
  const role = template.text(resource, 'CredentialsArn');
  // Such as arn:aws:iam::*:user/*, with which the caller's own permissions decide.
  if (!/^arn:[\w-]+:iam::\d+:role\//.test(role)) throw unknownValue(resource, 'CredentialsArn', role);
  return role;
}

function readTimeout(template: Template, resource: Resource): number {
  const timeout = template.property(resource, 'TimeoutInMillis') ?? MAX_INTEGRATION_MS;
  const milliseconds = Number(timeout);
  if (milliseconds >= MIN_INTEGRATION_MS && milliseconds <= MAX_INTEGRATION_MS) return milliseconds;
  throw unknownValue(resource, 'TimeoutInMillis', timeout);
}
