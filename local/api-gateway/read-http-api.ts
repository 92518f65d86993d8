/**
 * Reads the HTTP API of a template that starts state machines. Routes to something else answer with an error that names it. All
 * other settings that the local cloud does not know are refused by name.
 */
import { LocalCloudError, unsupported } from '../local-cloud-error';
import { isJsonObject, type Json, listOf } from '../json';
import { checkFields, checkProperties, type Resource, unknownValue } from '../cloudformation/resource';
import { referenceTo } from '../cloudformation/physical-ids';
import type { Template } from '../cloudformation/template';
import type { Cors } from './cors';
import type { Authorization, HttpApi, Route } from './http-api';
import type { JwtAuthorizer } from './jwt';
import { parseParameter } from './parameter-mapping';
import { type MachineNames, readIntegration } from './read-integration';
import { parseRouteKey } from './routes';

const API_PROPERTIES = {
  used: ['CorsConfiguration', 'Name', 'ProtocolType', 'RouteSelectionExpression'],
  withoutEffect: ['Description', 'DisableExecuteApiEndpoint', 'IpAddressType', 'Tags', 'Version'],
};

const STAGE_PROPERTIES = {
  used: ['ApiId', 'AutoDeploy', 'StageName'],
  withoutEffect: ['AccessLogSettings', 'DefaultRouteSettings', 'Description', 'RouteSettings', 'Tags'],
};

const ROUTE_PROPERTIES = {
  used: ['ApiId', 'AuthorizationScopes', 'AuthorizationType', 'AuthorizerId', 'RouteKey', 'Target'],
  withoutEffect: ['OperationName'],
};

const AUTHORIZER_PROPERTIES = {
  used: ['ApiId', 'AuthorizerType', 'IdentitySource', 'JwtConfiguration'],
  withoutEffect: ['Name'],
};

const CORS_FIELDS = [
  ...['AllowCredentials', 'AllowHeaders', 'AllowMethods', 'AllowOrigins', 'ExposeHeaders', 'MaxAge'],
];

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
  const routes = of('Route').map((route) => readRoute(template, route, machines));
  return {
    id,
    stages: of('Stage').map((stage) => readStage(template, stage)),
    routes,
    cors: readCors(template, id),
    roleArns: routes.flatMap(({ integration }) =>
      integration instanceof LocalCloudError ? [] : integration.roleArn,
    ),
  };
}

/** The subtype is not resolved, because an integration of another kind may refer to anything. */
function isStart(subtype: Json | undefined): boolean {
  return typeof subtype === 'string' && subtype.startsWith('StepFunctions-');
}

function readCors(template: Template, id: string): Cors | undefined {
  const api = template
    .resourcesOfType('AWS::ApiGatewayV2::Api')
    .find((candidate) => referenceTo(template, candidate) === id);
  if (api === undefined) throw unsupported(`the HTTP API ${id}, which the stack does not define`);
  checkProperties(api, API_PROPERTIES);
  const protocol = template.property(api, 'ProtocolType') ?? 'HTTP';
  if (protocol !== 'HTTP') throw unknownValue(api, 'ProtocolType', protocol);
  const selection = template.property(api, 'RouteSelectionExpression');
  if (selection !== undefined && selection !== '$request.method $request.path') {
    throw unknownValue(api, 'RouteSelectionExpression', selection);
  }
  const configuration = template.property(api, 'CorsConfiguration');
  if (configuration === undefined) return undefined;
  const cors = checkFields(api, 'CorsConfiguration', configuration, CORS_FIELDS);
  return {
    allowOrigins: texts(cors.AllowOrigins),
    allowMethods: texts(cors.AllowMethods),
    allowHeaders: texts(cors.AllowHeaders),
    exposeHeaders: texts(cors.ExposeHeaders),
    allowCredentials: cors.AllowCredentials === true,
    maxAgeSeconds: cors.MaxAge === undefined ? undefined : Number(cors.MaxAge),
  };
}

function readStage(template: Template, stage: Resource): string {
  checkProperties(stage, STAGE_PROPERTIES);
  const deploys = template.property(stage, 'AutoDeploy') ?? false;
  if (deploys !== true) throw unknownValue(stage, 'AutoDeploy', deploys);
  return template.text(stage, 'StageName');
}

function readRoute(template: Template, route: Resource, machines: MachineNames): Route {
  checkProperties(route, ROUTE_PROPERTIES);
  const where = `${route.type} '${route.logicalId}'`;
  return {
    key: parseRouteKey(template.text(route, 'RouteKey'), where),
    authorization: readAuthorization(template, route),
    integration: readIntegration(template, route, machines),
  };
}

function readAuthorization(template: Template, route: Resource): Authorization {
  const type = template.property(route, 'AuthorizationType') ?? 'NONE';
  switch (type) {
    case 'NONE':
    case 'AWS_IAM':
      return { type };
    case 'JWT': {
      const scopes = texts(template.property(route, 'AuthorizationScopes'));
      return { type, scopes, authorizer: readAuthorizer(template, template.text(route, 'AuthorizerId')) };
    }
    default:
      throw unknownValue(route, 'AuthorizationType', type);
  }
}

function readAuthorizer(template: Template, id: string): JwtAuthorizer {
  const resource = template
    .resourcesOfType('AWS::ApiGatewayV2::Authorizer')
    .find((candidate) => referenceTo(template, candidate) === id);
  if (resource === undefined) throw unsupported(`the authorizer ${id}, which the stack does not define`);
  checkProperties(resource, AUTHORIZER_PROPERTIES);
  const where = `${resource.type} '${resource.logicalId}'`;
  const jwt = template.property(resource, 'JwtConfiguration') ?? null;
  const { Issuer: issuer = null, Audience: audience } = checkFields(resource, 'JwtConfiguration', jwt, [
    'Audience',
    'Issuer',
  ]);
  if (typeof issuer !== 'string') throw unknownValue(resource, 'JwtConfiguration', jwt);
  const [source = null, ...others] = listOf(template.property(resource, 'IdentitySource'));
  if (others.length > 0) throw unsupported(`several identity sources of ${where}`);
  return { issuer, audience: texts(audience), source: parseParameter(source, where) };
}

function texts(value: Json | undefined): string[] {
  return listOf(value)
    .filter((item) => !isJsonObject(item))
    .map(String);
}
