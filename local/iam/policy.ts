/** Reads policy documents: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../json';
import { unsupported } from '../local-cloud-error';
import { ACTIONS, FUNCTION_LOG_ACTIONS, NETWORK_ACTIONS, TRACING_ACTIONS } from './actions';
import { type Condition, matchesArn, matchesPattern, parseConditions } from './conditions';
import { type Naming, parsePrincipals, type Principal } from './principals';

export interface Policy {
  readonly statements: readonly Statement[];
}

export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly hasAction: Selection;
  /** Has every resource in trust policies, whose resource is their role. */
  readonly hasResource: Selection;
  /** Absent in the policies of roles. */
  readonly naming?: (principal: Principal) => Naming | undefined;
  readonly conditions: readonly Condition[];
}

type Selection = (name: string) => boolean;

const ELEMENTS = new Set([
  'Sid',
  'Effect',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Principal',
  'Condition',
]);

/**
 * @param resolve replaces intrinsic functions, but only of statements about actions that the local cloud authorizes: the others
 * may refer to anything, and are not checked
 * @throws LocalCloudError for an element, a condition or a variable that the local cloud does not know
 */
export function parsePolicy(
  document: Json | undefined,
  where: string,
  resolve: (value: Json) => Json = (value) => value,
): Policy {
  const resolved =
    isJsonObject(document) && document.Statement !== undefined ? document : resolve(document ?? null);
  if (!isJsonObject(resolved)) throw unsupported(`${where}, which is not an object`);
  const { Statement: listed = [] } = resolved;
  const statements = (isJsonArray(listed) ? listed : [listed]).flatMap((statement) => {
    if (!isJsonObject(statement)) throw unsupported(`the statement ${JSON.stringify(statement)} in ${where}`);
    return parseStatement(statement, where, resolve);
  });
  return { statements };
}

function parseStatement(statement: JsonObject, where: string, resolve: (value: Json) => Json): Statement[] {
  for (const element of Object.keys(statement)) {
    if (!ELEMENTS.has(element)) throw unsupported(`the element ${element} in ${where}`);
  }
  const hasAction = selection(statement, 'Action', where, resolve);
  if (hasAction === undefined) throw unsupported(`a statement without actions in ${where}`);
  if (!ACTIONS.some(hasAction)) return [];
  const { Effect: effect, Condition: conditions } = statement;
  if (effect !== 'Allow' && effect !== 'Deny') {
    throw unsupported(`the effect ${JSON.stringify(effect ?? null)} in ${where}`);
  }
  const { Principal: principal } = statement;
  return [
    {
      effect,
      hasAction,
      hasResource: selection(statement, 'Resource', where, resolve) ?? (() => true),
      ...(principal !== undefined && { naming: parsePrincipals(resolve(principal), where) }),
      conditions: parseConditions(conditions === undefined ? undefined : resolve(conditions), where),
    },
  ];
}

/** `NotAction` and `NotResource` select all but the patterns. The names of actions ignore case. */
function selection(
  statement: JsonObject,
  element: 'Action' | 'Resource',
  where: string,
  resolve: (value: Json) => Json,
): Selection | undefined {
  const except = statement[element] === undefined;
  const given = statement[element] ?? statement[`Not${element}`];
  if (given === undefined) return undefined;
  const value = resolve(given);
  const patterns = (isJsonArray(value) ? value : [value]).map((pattern) => {
    if (typeof pattern !== 'string')
      throw unsupported(`the ${element} ${JSON.stringify(pattern)} in ${where}`);
    if (pattern.includes('${')) throw unsupported(`the policy variable in '${pattern}' in ${where}`);
    return pattern;
  });
  if (element === 'Resource') return (arn) => patterns.some((pattern) => matchesArn(pattern, arn)) !== except;
  const lower = patterns.map((pattern) => pattern.toLowerCase());
  return (action) => lower.some((pattern) => matchesPattern(pattern, action.toLowerCase())) !== except;
}

/**
 * AWS managed policies that CDK attaches to the roles of functions, and a few that users do. Each has its actions on all resources:
 * https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
 */
const ACTIONS_BY_NAME: Readonly<Record<string, readonly string[]>> = {
  'service-role/AWSLambdaBasicExecutionRole': FUNCTION_LOG_ACTIONS,
  'service-role/AWSLambdaVPCAccessExecutionRole': [...FUNCTION_LOG_ACTIONS, ...NETWORK_ACTIONS],
  AWSXRayDaemonWriteAccess: [...TRACING_ACTIONS, 'xray:GetSamplingStatisticSummaries'],
  AmazonS3FullAccess: ['s3:*', 's3-object-lambda:*'],
  AmazonS3ReadOnlyAccess: ['s3:Get*', 's3:List*', 's3:Describe*'],
  AdministratorAccess: ['*'],
};

export function awsManagedPolicy(arn: string): Policy | undefined {
  const name = /^arn:[^:]+:iam::aws:policy\/(.+)$/.exec(arn)?.[1];
  const actions =
    name !== undefined && Object.hasOwn(ACTIONS_BY_NAME, name) ? ACTIONS_BY_NAME[name] : undefined;
  return actions && allowOnAllResources(actions, arn);
}

export const ADMINISTRATOR = allowOnAllResources(['*'], 'the policy of the administrator');

function allowOnAllResources(actions: readonly string[], where: string): Policy {
  return parsePolicy({ Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] }, where);
}
