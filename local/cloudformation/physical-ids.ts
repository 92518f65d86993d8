/** The values of `Ref` and `Fn::GetAtt` for each supported type of resource, with generated physical ids. */
import { createHash } from 'node:crypto';
import { unsupported } from '../local-cloud-error';
import { isJsonArray, isJsonObject } from '../json';
import type { Resource, ResourceResolver } from './resource';

interface Identity {
  readonly ref: string;
  readonly attributes: Readonly<Partial<Record<string, string>>>;
}

type Identify = (template: ResourceResolver, resource: Resource) => Identity;

/** Supported types of resources. Most of them only need a name. */
const IDENTITIES: Readonly<Partial<Record<string, Identify>>> = {
  'AWS::S3::Bucket': (template, resource) => {
    const name = physicalName(template, resource, 'BucketName', 63).toLowerCase();
    return { ref: name, attributes: { Arn: `arn:aws:s3:::${name}` } };
  },
  'AWS::S3::BucketPolicy': nameOnly,
  'AWS::S3Express::DirectoryBucket': (template, resource) => {
    const zone = template.text(resource, 'LocationName');
    const suffix = `--${zone}--x-s3`;
    const given = template.property(resource, 'BucketName');
    const own = `${template.stackName}-${hash(resource.logicalId).slice(0, 8)}`.toLowerCase();
    const name = typeof given === 'string' ? given : `${own.slice(-(63 - suffix.length))}${suffix}`;
    return { ref: name, attributes: { Arn: arn(template, 's3express', `bucket/${name}`) } };
  },
  'AWS::S3Express::BucketPolicy': nameOnly,
  'AWS::Lambda::Function': (template, resource) => {
    const name = physicalName(template, resource, 'FunctionName', 64);
    return { ref: name, attributes: { Arn: arn(template, 'lambda', `function:${name}`) } };
  },
  'AWS::Lambda::Version': (template, resource) => {
    const fn = functionArn(template, resource);
    const version = template.versions.numberOf(fn, resource.logicalId);
    return { ref: `${fn}:${version}`, attributes: { Version: version, FunctionArn: `${fn}:${version}` } };
  },
  'AWS::Lambda::Alias': (template, resource) => {
    if (resource.properties.RoutingConfig !== undefined) {
      throw unsupported(`the property RoutingConfig of AWS::Lambda::Alias '${resource.logicalId}'`);
    }
    const name = template.text(resource, 'Name');
    return { ref: `${functionArn(template, resource)}:${name}`, attributes: {} };
  },
  'AWS::StepFunctions::StateMachine': (template, resource) => {
    const name = physicalName(template, resource, 'StateMachineName', 80);
    const machineArn = arn(template, 'states', `stateMachine:${name}`);
    return { ref: machineArn, attributes: { Arn: machineArn, Name: name } };
  },
  'AWS::StepFunctions::StateMachineVersion': (template, resource) => {
    const machineArn = template.text(resource, 'StateMachineArn');
    const versionArn = `${machineArn}:${template.versions.numberOf(machineArn, resource.logicalId)}`;
    return { ref: versionArn, attributes: { Arn: versionArn } };
  },
  'AWS::StepFunctions::StateMachineAlias': (template, resource) => {
    const aliasArn = `${aliasedMachine(template, resource)}:${physicalName(template, resource, 'Name', 80)}`;
    return { ref: aliasArn, attributes: { Arn: aliasArn } };
  },
  'AWS::IAM::Role': (template, resource) => {
    const name = physicalName(template, resource, 'RoleName', 64);
    return { ref: name, attributes: { Arn: `arn:aws:iam::${template.environment.account}:role/${name}` } };
  },
  'AWS::IAM::Policy': nameOnly,
  'AWS::IAM::ManagedPolicy': (template, resource) => {
    const name = physicalName(template, resource, 'ManagedPolicyName', 128);
    return { ref: `arn:aws:iam::${template.environment.account}:policy/${name}`, attributes: {} };
  },
  'AWS::Logs::LogGroup': (template, resource) => {
    const name = physicalName(template, resource, 'LogGroupName', 512);
    return { ref: name, attributes: { Arn: arn(template, 'logs', `log-group:${name}:*`) } };
  },
  'AWS::KMS::Key': (template, resource) => {
    const id = hash(`${template.stackName}/${resource.logicalId}`).slice(0, 32);
    return { ref: id, attributes: { Arn: arn(template, 'kms', `key/${id}`), KeyId: id } };
  },
  'AWS::KMS::Alias': (template, resource) => {
    const name = physicalName(template, resource, 'AliasName', 256);
    return { ref: name, attributes: {} };
  },
  'AWS::ApiGatewayV2::Api': (template, resource) => {
    const id = gatewayId(template, resource);
    return { ref: id, attributes: { ApiId: id } };
  },
  'AWS::ApiGatewayV2::Authorizer': gatewayIdOnly,
  'AWS::ApiGatewayV2::Integration': gatewayIdOnly,
  // Policies may name it, and the local cloud does not serve it.
  'AWS::ApiGateway::RestApi': gatewayIdOnly,
  'AWS::Events::Rule': (template, resource) => {
    const name = physicalName(template, resource, 'Name', 64);
    return { ref: name, attributes: { Arn: arn(template, 'events', `rule/${name}`) } };
  },
  'AWS::CDK::Metadata': nameOnly,
};

export function referenceTo(template: ResourceResolver, resource: Resource): string {
  return identify(template, resource).ref;
}

export function attributeOf(template: ResourceResolver, resource: Resource, attribute: string): string {
  const value = identify(template, resource).attributes[attribute];
  if (value !== undefined) return value;
  throw unsupported(`the attribute ${attribute} of ${resource.type} '${resource.logicalId}'`);
}

function identify(template: ResourceResolver, resource: Resource): Identity {
  const identifyType = Object.hasOwn(IDENTITIES, resource.type) ? IDENTITIES[resource.type] : undefined;
  if (identifyType === undefined) {
    throw unsupported(`${resource.type}, which the pipeline refers to as '${resource.logicalId}'`);
  }
  return identifyType(template, resource);
}

function nameOnly(template: ResourceResolver, resource: Resource): Identity {
  return { ref: `${template.stackName}-${resource.logicalId}`, attributes: {} };
}

function gatewayIdOnly(template: ResourceResolver, resource: Resource): Identity {
  return { ref: gatewayId(template, resource), attributes: {} };
}

/** Ten letters and digits, as API Gateway's ids. */
function gatewayId(template: ResourceResolver, resource: Resource): string {
  return hash(`${template.stackName}/${resource.logicalId}`).slice(0, 10);
}

/** The resource's name in the template, or else a name made from the stack's name and the logical id. */
function physicalName(
  template: ResourceResolver,
  resource: Resource,
  property: string,
  maxLength: number,
): string {
  const given = template.property(resource, property);
  if (typeof given === 'string') return given;
  const name = `${template.stackName}-${resource.logicalId}`;
  if (name.length <= maxLength) return name;
  return `${name.slice(0, maxLength - 9)}-${hash(name).slice(0, 8)}`;
}

/** The ARN of the state machine of an alias, which names versions of it. All are of one state machine, as AWS demands. */
function aliasedMachine(template: ResourceResolver, resource: Resource): string {
  const { RoutingConfiguration: routes = null, DeploymentPreference: deployment = null } =
    resource.properties;
  // The rest of a deployment, such as its alarms, may refer to anything.
  const named = isJsonArray(routes) ? (routes.at(0) ?? null) : deployment;
  const version = isJsonObject(named) ? template.resolve(named.StateMachineVersionArn ?? null) : null;
  if (typeof version === 'string') return version.replace(/:\d+$/, '');
  throw unsupported(`${resource.type} '${resource.logicalId}' without a version of a state machine`);
}

/** The ARN of the function of a version or an alias, which names the function by reference or by ARN. */
function functionArn(template: ResourceResolver, resource: Resource): string {
  const name = template.text(resource, 'FunctionName');
  return name.startsWith('arn:') ? name : arn(template, 'lambda', `function:${name}`);
}

function arn(template: ResourceResolver, service: string, resource: string): string {
  return `arn:aws:${service}:${template.environment.region}:${template.environment.account}:${resource}`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
