/**
 * Conditions of statements: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html.
 * Operators and keys that are not listed here are refused by name.
 */
import { unsupported } from '../local-cloud-error';
import { entriesOf, isJsonArray, isJsonObject, type Json } from '../json';
import { matchesArn, matchesPattern } from './patterns';

/** The values of condition keys for one request. Names are in lower case, because they ignore case. */
export type RequestContext = ReadonlyMap<string, string>;

/** One key of one operator. A statement applies if all its conditions hold. */
export interface Condition {
  readonly operator: Operator;
  readonly ifExists: boolean;
  /** In lower case. */
  readonly key: string;
  readonly values: readonly string[];
}

interface Operator {
  readonly matches: (wanted: string, got: string) => boolean;
  /** Holds if no value matches, or if the request lacks the key. */
  readonly negated?: boolean;
}

const equal = (wanted: string, got: string): boolean => wanted === got;
const equalIgnoringCase = (wanted: string, got: string): boolean =>
  wanted.toLowerCase() === got.toLowerCase();
const numeric =
  (compare: (got: number, wanted: number) => boolean) =>
  (wanted: string, got: string): boolean =>
    compare(Number(got), Number(wanted));
const same = numeric((got, wanted) => got === wanted);

const NULL = 'Null';

/** `ArnEquals` is another name of `ArnLike`. */
const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  Object.entries({
    StringEquals: { matches: equal },
    StringNotEquals: { matches: equal, negated: true },
    StringEqualsIgnoreCase: { matches: equalIgnoringCase },
    StringNotEqualsIgnoreCase: { matches: equalIgnoringCase, negated: true },
    StringLike: { matches: matchesPattern },
    StringNotLike: { matches: matchesPattern, negated: true },
    NumericEquals: { matches: same },
    NumericNotEquals: { matches: same, negated: true },
    NumericLessThan: { matches: numeric((got, wanted) => got < wanted) },
    NumericLessThanEquals: { matches: numeric((got, wanted) => got <= wanted) },
    NumericGreaterThan: { matches: numeric((got, wanted) => got > wanted) },
    NumericGreaterThanEquals: { matches: numeric((got, wanted) => got >= wanted) },
    Bool: { matches: equalIgnoringCase },
    ArnEquals: { matches: matchesArn },
    ArnLike: { matches: matchesArn },
    ArnNotEquals: { matches: matchesArn, negated: true },
    ArnNotLike: { matches: matchesArn, negated: true },
    // Compares whether the key is missing; see `holds`.
    [NULL]: { matches: equalIgnoringCase },
  } satisfies Record<string, Operator>),
);

const NULL_OPERATOR = OPERATORS.get(NULL);

/** Keys that requests to the local cloud have if requests to AWS have them. */
const KEYS: ReadonlySet<string> = new Set([
  'aws:principalaccount',
  'aws:principalarn',
  'aws:principaltype',
  'aws:requestedregion',
  'aws:resourceaccount',
  'aws:securetransport',
  'aws:sourceaccount',
  'aws:sourcearn',
  'kms:calleraccount',
  'kms:viaservice',
  'lambda:sourcefunctionarn',
  's3:prefix',
  's3:tlsversion',
  's3express:sessionmode',
]);

export function parseConditions(conditions: Json | undefined, where: string): Condition[] {
  if (conditions === undefined || !isJsonObject(conditions)) return [];
  return entriesOf(conditions).flatMap(([name, block]) => {
    const ifExists = name.endsWith('IfExists');
    const operator = OPERATORS.get(ifExists ? name.slice(0, -'IfExists'.length) : name);
    if (operator === undefined) throw unsupported(`the condition operator ${name} in ${where}`);
    if (!isJsonObject(block)) throw unsupported(`the condition ${JSON.stringify(block)} in ${where}`);
    return entriesOf(block).map(([given, value]) => {
      const key = given.toLowerCase();
      if (!KEYS.has(key) && !key.startsWith('kms:encryptioncontext:')) {
        throw unsupported(`the condition key ${given} in ${where}`);
      }
      const values = (isJsonArray(value) ? value : [value]).map((item) => conditionValue(item, where));
      return { operator, ifExists, key, values };
    });
  });
}

function conditionValue(value: Json, where: string): string {
  const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
  if (typeof text !== 'string') throw unsupported(`the condition value ${JSON.stringify(value)} in ${where}`);
  if (text.includes('${')) throw unsupported(`the policy variable in '${text}' in ${where}`);
  return text;
}

export function holds({ operator, ifExists, key, values }: Condition, context: RequestContext): boolean {
  const got = context.get(key);
  if (operator === NULL_OPERATOR) {
    return values.some((value) => operator.matches(value, String(got === undefined)));
  }
  if (got === undefined) return ifExists || operator.negated === true;
  const matched = values.some((value) => operator.matches(value, got));
  return operator.negated === true ? !matched : matched;
}
