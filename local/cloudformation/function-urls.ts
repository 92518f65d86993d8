/** Reads the URLs of functions that callers invoke, and the permissions that the stack gives for them. */
import { parsePolicy, type Policy } from '../iam/policy';
import type { JsonObject } from '../json';
import { LocalCloudError, orRefusal, unsupported } from '../local-cloud-error';
import { type Resource, unknownValue, whereOf } from './resource';
import type { Template } from './template';

export interface FunctionUrl {
  /** Of the alias that the URL calls. An alias has at most one URL. */
  readonly functionArn: string;
  readonly authType: 'AWS_IAM' | 'NONE';
  /** What the permissions of the alias allow. */
  readonly policy: Policy;
}

/** Properties of permissions for services and organizations, which are no callers of URLs here. */
const OF_OTHERS = ['EventSourceToken', 'PrincipalOrgID', 'SourceAccount', 'SourceArn'];

/**
 * URLs of other functions are not served, and a notice says so. Settings of CORS have no effect.
 *
 * @param template of its own, because a URL may refer to what the local cloud does not run
 * @param aliases ARNs of the functions that run
 */
export function readFunctionUrls(template: Template, aliases: readonly string[]) {
  const urls: FunctionUrl[] = [];
  const notices: string[] = [];
  for (const resource of template.resourcesOfType('AWS::Lambda::Url')) {
    const url = orRefusal(() => readUrl(template, resource, aliases));
    if (url instanceof LocalCloudError) notices.push(`a URL is not served: ${url.message}`);
    else urls.push(url);
  }
  return { urls, notices };
}

function readUrl(template: Template, resource: Resource, aliases: readonly string[]): FunctionUrl {
  const { InvokeMode: mode = 'BUFFERED' } = resource.properties;
  if (mode !== 'BUFFERED') throw unknownValue(resource, 'InvokeMode', mode);
  const authType = template.text(resource, 'AuthType');
  if (authType !== 'AWS_IAM' && authType !== 'NONE') throw unknownValue(resource, 'AuthType', authType);
  const qualifier = resource.properties.Qualifier === undefined ? '' : template.text(resource, 'Qualifier');
  const target = nameOf(`${template.text(resource, 'TargetFunctionArn')}:${qualifier}`);
  const functionArn = aliases.find((alias) => nameOf(alias) === target);
  if (functionArn === undefined)
    throw unsupported(`${whereOf(resource)}, which is not of the alias of an InferenceFunction`);
  const statements = template.resourcesOfType('AWS::Lambda::Permission').flatMap((permission) => {
    const of = orRefusal(() => template.text(permission, 'FunctionName'));
    // One that cannot be resolved is not of this function.
    const isOwn = !(of instanceof LocalCloudError) && nameOf(of) === target;
    return isOwn && !OF_OTHERS.some((name) => permission.properties[name] !== undefined)
      ? [statementOf(template, permission)]
      : [];
  });
  return { functionArn, authType, policy: parsePolicy({ Statement: statements }, whereOf(resource)) };
}

/** Name and qualifier: the ARN may also be one without a partition or an account, or the name alone. */
function nameOf(arn: string): string {
  return arn.replace(/^.*function:/, '');
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html */
function statementOf(template: Template, permission: Resource): JsonObject {
  const principal = template.text(permission, 'Principal');
  const condition = (property: string, operator: string): JsonObject => {
    const value = template.property(permission, property);
    return value === undefined ? {} : { [operator]: { [`lambda:${property}`]: value } };
  };
  return {
    Effect: 'Allow',
    Principal: principal.endsWith('.amazonaws.com') ? { Service: principal } : { AWS: principal },
    Action: template.text(permission, 'Action'),
    Resource: '*',
    Condition: {
      ...condition('FunctionUrlAuthType', 'StringEquals'),
      ...condition('InvokedViaFunctionUrl', 'Bool'),
    },
  };
}
