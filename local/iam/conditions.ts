/**
 * Conditions of statements: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html.
 * Operators and keys that are not listed here are refused by name.
 */
import { entriesOf, isJsonObject, type Json, listOf } from '../json';
import { unsupported } from '../local-cloud-error';

/** The values of condition keys for one request. Names are in lower case, because they ignore case. */
export type RequestContext = ReadonlyMap<string, string>;

/** Whether one key of one operator holds for a request. A statement applies if all its conditions hold. */
export type Condition = (context: RequestContext) => boolean;

/** Whether a value of the condition matches that of the request. */
type Operator = (wanted: string, got: string) => boolean;

const equalIgnoringCase: Operator = (wanted, got) => wanted.toLowerCase() === got.toLowerCase();
const numeric =
  (compare: (got: number, wanted: number) => boolean): Operator =>
  (wanted, got) =>
    compare(Number(got), Number(wanted));

const NULL = 'Null';

/** `ArnEquals` is another name of `ArnLike`. Most have a negation, such as `StringNotEquals`. */
const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  Object.entries({
    StringEquals: (wanted, got) => wanted === got,
    StringEqualsIgnoreCase: equalIgnoringCase,
    StringLike: matchesPattern,
    NumericEquals: numeric((got, wanted) => got === wanted),
    NumericLessThan: numeric((got, wanted) => got < wanted),
    NumericLessThanEquals: numeric((got, wanted) => got <= wanted),
    NumericGreaterThan: numeric((got, wanted) => got > wanted),
    NumericGreaterThanEquals: numeric((got, wanted) => got >= wanted),
    Bool: equalIgnoringCase,
    ArnEquals: matchesArn,
    ArnLike: matchesArn,
    // Compares whether the key is missing.
    [NULL]: equalIgnoringCase,
  } satisfies Record<string, Operator>),
);

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
  'lambda:functionurlauthtype',
  'lambda:invokedviafunctionurl',
  'lambda:sourcefunctionarn',
  's3:prefix',
  's3:tlsversion',
  's3express:sessionmode',
]);

export function parseConditions(conditions: Json | undefined, where: string): Condition[] {
  if (conditions === undefined || !isJsonObject(conditions)) return [];
  return entriesOf(conditions).flatMap(([name, block]) => {
    const ifExists = name.endsWith('IfExists');
    const negated = /^(String|Numeric|Arn)Not/.test(name);
    const operator = OPERATORS.get(name.replace(/IfExists$/, '').replace(/^(String|Numeric|Arn)Not/, '$1'));
    if (operator === undefined) throw unsupported(`the condition operator ${name} in ${where}`);
    if (!isJsonObject(block)) throw unsupported(`the condition ${JSON.stringify(block)} in ${where}`);
    return entriesOf(block).map(([given, value]): Condition => {
      const key = given.toLowerCase();
      if (!KEYS.has(key) && !key.startsWith('kms:encryptioncontext:')) {
        throw unsupported(`the condition key ${given} in ${where}`);
      }
      const values = listOf(value).map((item) => conditionValue(item, where));
      return (context) => {
        const got = name === NULL ? String(!context.has(key)) : context.get(key);
        if (got === undefined) return ifExists || negated;
        return values.some((wanted) => operator(wanted, got)) !== negated;
      };
    });
  });
}

function conditionValue(value: Json, where: string): string {
  const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
  if (typeof text !== 'string') throw unsupported(`the condition value ${JSON.stringify(value)} in ${where}`);
  if (text.includes('${')) throw unsupported(`the policy variable in '${text}' in ${where}`);
  return text;
}

/** `*` stands for any text and `?` for one character. Letters must match in their case. */
export function matchesPattern(pattern: string, text: string): boolean {
  let at = 0;
  let inText = 0;
  let star = -1;
  let afterStar = 0;
  while (inText < text.length) {
    if (pattern[at] === '*') {
      star = at++;
      afterStar = inText;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[inText])) {
      at++;
      inText++;
    } else if (star >= 0) {
      // The last star takes one more character.
      at = star + 1;
      inText = ++afterStar;
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(at));
}

/** arn:partition:service:region:account:resource */
const ARN_FIELDS = 6;

/**
 * A wildcard never spans two of the first five fields. Fields that the pattern leaves out match everything:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
export function matchesArn(pattern: string, arn: string): boolean {
  if (pattern === '*') return true;
  const wanted = arnFields(pattern);
  return arnFields(arn).every((field, index) => matchesPattern(wanted[index] ?? '*', field));
}

function arnFields(arn: string): string[] {
  const fields = arn.split(':');
  return fields.length <= ARN_FIELDS
    ? fields
    : [...fields.slice(0, ARN_FIELDS - 1), fields.slice(ARN_FIELDS - 1).join(':')];
}
