/** The values of `Ref` and `Fn::GetAtt` for each supported type of resource, with generated physical ids. */
import { hash } from 'node:crypto';
import { isJsonArray, isJsonObject } from '../json';
import { unsupported } from '../local-cloud-error';
import { type Resource, type ResourceResolver, whereOf } from './resource';

type Values = Readonly<Partial<Record<string, string>>> & { readonly Ref: string };

type ValuesOf = (template: ResourceResolver, resource: Resource) => Values;

const VALUES: Readonly<Partial<Record<string, ValuesOf>>> = {
  'AWS::S3::Bucket': (template, resource) => {
    const name = nameOf(template, resource, 'BucketName', 63).toLowerCase();
    return { Ref: name, Arn: `arn:aws:s3:::${name}` };
  },
  'AWS::S3::BucketPolicy': generatedName,
  'AWS::S3Express::DirectoryBucket': (template, resource) => {
    const suffix = `--${template.text(resource, 'LocationName')}--x-s3`;
    const given = template.property(resource, 'BucketName');
    const own = `${template.stackName}-${hash('sha256', resource.logicalId).slice(0, 8)}`.toLowerCase();
    const name = typeof given === 'string' ? given : `${own.slice(-(63 - suffix.length))}${suffix}`;
    return { Ref: name, Arn: arn(template, 's3express', `bucket/${name}`) };
  },
  'AWS::S3Express::BucketPolicy': generatedName,
  'AWS::Lambda::Function': named('FunctionName', 64, 'lambda', (name) => `function:${name}`),
  'AWS::Lambda::Version': (template, resource) => {
    const fn = functionArn(template, resource);
    const version = template.versions.numberOf(fn, resource.logicalId);
    return { Ref: `${fn}:${version}`, Version: version, FunctionArn: `${fn}:${version}` };
  },
  'AWS::Lambda::Alias': (template, resource) => {
    if (resource.properties.RoutingConfig !== undefined) {
      throw unsupported(`the property RoutingConfig of AWS::Lambda::Alias '${resource.logicalId}'`);
    }
    return { Ref: `${functionArn(template, resource)}:${template.text(resource, 'Name')}` };
  },
  'AWS::StepFunctions::StateMachine': (template, resource) => {
    const name = nameOf(template, resource, 'StateMachineName', 80);
    const machineArn = arn(template, 'states', `stateMachine:${name}`);
    return { Ref: machineArn, Arn: machineArn, Name: name };
  },
  'AWS::StepFunctions::StateMachineVersion': (template, resource) => {
    const machineArn = template.text(resource, 'StateMachineArn');
    const versionArn = `${machineArn}:${template.versions.numberOf(machineArn, resource.logicalId)}`;
    return { Ref: versionArn, Arn: versionArn };
  },
  'AWS::StepFunctions::StateMachineAlias': (template, resource) => {
    const aliasArn = `${aliasedMachine(template, resource)}:${nameOf(template, resource, 'Name', 80)}`;
    return { Ref: aliasArn, Arn: aliasArn };
  },
  'AWS::IAM::Role': (template, resource) => {
    const name = nameOf(template, resource, 'RoleName', 64);
    return { Ref: name, Arn: `arn:aws:iam::${template.environment.account}:role/${name}` };
  },
  'AWS::IAM::Policy': generatedName,
  'AWS::IAM::ManagedPolicy': (template, resource) => {
    const name = nameOf(template, resource, 'ManagedPolicyName', 128);
    return { Ref: `arn:aws:iam::${template.environment.account}:policy/${name}` };
  },
  'AWS::Logs::LogGroup': named('LogGroupName', 512, 'logs', (name) => `log-group:${name}:*`),
  'AWS::KMS::Key': (template, resource) => {
    const id = hash('sha256', `${template.stackName}/${resource.logicalId}`).slice(0, 32);
    return { Ref: id, KeyId: id, Arn: arn(template, 'kms', `key/${id}`) };
  },
  'AWS::KMS::Alias': (template, resource) => ({ Ref: nameOf(template, resource, 'AliasName', 256) }),
  'AWS::ApiGatewayV2::Api': gatewayId,
  'AWS::ApiGatewayV2::Authorizer': gatewayId,
  'AWS::ApiGatewayV2::Integration': gatewayId,
  // Policies may name it, and the local cloud does not serve it.
  'AWS::ApiGateway::RestApi': gatewayId,
  'AWS::Events::Rule': named('Name', 64, 'events', (name) => `rule/${name}`),
};

export function referenceTo(template: ResourceResolver, resource: Resource): string {
  return valuesOf(template, resource).Ref;
}

export function attributeOf(template: ResourceResolver, resource: Resource, attribute: string): string {
  const value = valuesOf(template, resource)[attribute];
  if (value !== undefined) return value;
  throw unsupported(`the attribute ${attribute} of ${whereOf(resource)}`);
}

function valuesOf(template: ResourceResolver, resource: Resource): Values {
  const valuesOfType = Object.hasOwn(VALUES, resource.type) ? VALUES[resource.type] : undefined;
  if (valuesOfType !== undefined) return valuesOfType(template, resource);
  throw unsupported(`${resource.type}, which the pipeline refers to as '${resource.logicalId}'`);
}

function named(
  property: string,
  maxLength: number,
  service: string,
  inArn: (name: string) => string,
): ValuesOf {
  return (template, resource) => {
    const name = nameOf(template, resource, property, maxLength);
    return { Ref: name, Arn: arn(template, service, inArn(name)) };
  };
}

function generatedName({ stackName }: ResourceResolver, { logicalId }: Resource): Values {
  return { Ref: `${stackName}-${logicalId}` };
}

function gatewayId({ stackName }: ResourceResolver, { logicalId }: Resource): Values {
  const id = hash('sha256', `${stackName}/${logicalId}`).slice(0, 10);
  return { Ref: id, ApiId: id };
}

function nameOf(template: ResourceResolver, resource: Resource, property: string, maxLength: number): string {
  const given = template.property(resource, property);
  if (typeof given === 'string') return given;
  const name = generatedName(template, resource).Ref;
  return name.length <= maxLength
    ? name
    : `${name.slice(0, maxLength - 9)}-${hash('sha256', name).slice(0, 8)}`;
}

/** The ARN of the state machine of an alias, which names versions of it. All are of one state machine, as AWS demands. */
function aliasedMachine(template: ResourceResolver, resource: Resource): string {
  const { RoutingConfiguration: routes = null, DeploymentPreference: deployment = null } =
    resource.properties;
  // The rest of a deployment, such as its alarms, may refer to anything.
  const named = isJsonArray(routes) ? (routes.at(0) ?? null) : deployment;
  const version = isJsonObject(named) ? template.resolve(named.StateMachineVersionArn ?? null) : null;
  if (typeof version === 'string') return version.replace(/:\d+$/, '');
  throw unsupported(`${whereOf(resource)} without a version of a state machine`);
}

function functionArn(template: ResourceResolver, resource: Resource): string {
  const name = template.text(resource, 'FunctionName');
  return name.startsWith('arn:') ? name : arn(template, 'lambda', `function:${name}`);
}

function arn({ environment }: ResourceResolver, service: string, resource: string): string {
  return `arn:aws:${service}:${environment.region}:${environment.account}:${resource}`;
}
