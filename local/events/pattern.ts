/**
 * Event patterns, as far as rules for new objects need them: texts, prefixes, suffixes and exceptions.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
import { unsupported } from '../local-cloud-error';
import { entriesOf, isJsonArray, isJsonObject, type Json, listOf } from '../json';

/** Whether an event, or a field of it, matches. */
export type Pattern = (value: Json | undefined) => boolean;

/** All fields must match. */
export function parsePattern(pattern: Json, where: string): Pattern {
  if (isJsonArray(pattern)) {
    const alternatives = pattern.map((expected) => matcher(expected, where));
    // Of a list, one item must match.
    return (value) => listOf(value).some((item) => alternatives.some((matches) => matches(item)));
  }
  if (!isJsonObject(pattern)) {
    throw unsupported(`the pattern ${JSON.stringify(pattern)} of ${where}`, 'use a list of values');
  }
  const fields = entriesOf(pattern).map(([name, inner]) => [name, parsePattern(inner, where)] as const);
  return (value) => isJsonObject(value) && fields.every(([name, matches]) => matches(value[name]));
}

function matcher(expected: Json, where: string): (value: Json) => boolean {
  if (!isJsonObject(expected)) return (value) => value === expected;
  const [[operator, operand] = ['', null]] = entriesOf(expected);
  const compare = operator === 'anything-but' ? anythingBut(operand, where) : comparison(operator, operand);
  if (compare !== undefined && Object.keys(expected).length === 1) return compare;
  throw unsupported(`the comparison ${JSON.stringify(expected)} of ${where}`);
}

/** A text, a list of texts, or a prefix or suffix. */
function anythingBut(operand: Json, where: string): (value: Json) => boolean {
  const excepted = listOf(operand).map((value) => matcher(value, where));
  return (value) => !excepted.some((matches) => matches(value));
}

function comparison(operator: string, operand: Json): ((value: Json) => boolean) | undefined {
  if (typeof operand !== 'string') return undefined;
  if (operator === 'prefix') return (value) => typeof value === 'string' && value.startsWith(operand);
  if (operator === 'suffix') return (value) => typeof value === 'string' && value.endsWith(operand);
  return undefined;
}
