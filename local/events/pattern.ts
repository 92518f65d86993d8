/**
 * Event patterns, as far as rules for new objects need them: texts, prefixes, suffixes, wildcards and exceptions.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
import { unsupported } from '../local-cloud-error';
import { entriesOf, isJsonArray, isJsonObject, type Json, listOf } from '../json';

/** All fields must match. */
export type Pattern =
  | { readonly kind: 'fields'; readonly fields: readonly (readonly [name: string, pattern: Pattern])[] }
  | { readonly kind: 'values'; readonly alternatives: readonly Matcher[] };

type Matcher = (value: Json) => boolean;

/** The fields of the event of a new object. A pattern with another one would never match. */
const FIELDS: readonly string[] = [
  ...['version', 'id', 'detail-type', 'source', 'account', 'time', 'region', 'resources', 'detail'],
  ...['detail.version', 'detail.event-version', 'detail.bucket', 'detail.bucket.name', 'detail.object'],
  ...['detail.object.key', 'detail.object.size', 'detail.object.etag', 'detail.object.sequencer'],
  ...['detail.request-id', 'detail.requester', 'detail.source-ip-address', 'detail.reason'],
];

export function parsePattern(pattern: Json, where: string, place = ''): Pattern {
  if (isJsonArray(pattern)) {
    return { kind: 'values', alternatives: pattern.map((value) => matcher(value, `${place} of ${where}`)) };
  }
  if (!isJsonObject(pattern)) {
    throw unsupported(`the pattern ${JSON.stringify(pattern)} of ${where}`, 'use a list of values');
  }
  const fields = entriesOf(pattern).map(([name, value]) => {
    const path = place === '' ? name : `${place}.${name}`;
    if (!FIELDS.includes(path)) {
      throw unsupported(`the field ${path} in the pattern of ${where}`, "use fields of S3's Object Created");
    }
    return [name, parsePattern(value, where, path)] as const;
  });
  return { kind: 'fields', fields };
}

export function matches(pattern: Pattern, value: Json | undefined): boolean {
  if (pattern.kind === 'fields') {
    return isJsonObject(value) && pattern.fields.every(([name, inner]) => matches(inner, value[name]));
  }
  // Of a list, one item must match.
  return listOf(value).some((item) => pattern.alternatives.some((alternative) => alternative(item)));
}

function matcher(expected: Json, place: string): Matcher {
  if (!isJsonObject(expected)) {
    if (isJsonArray(expected)) throw unsupported(`the list ${JSON.stringify(expected)} in ${place}`);
    return (value) => value === expected;
  }
  const entries = entriesOf(expected);
  if (entries.length !== 1) {
    throw unsupported(`the comparison ${JSON.stringify(expected)} in ${place}`);
  }
  const [[operator, operand]] = entries;
  if (operator === 'anything-but') return anythingBut(operand, place);
  if (typeof operand !== 'string') {
    throw unsupported(`the comparison ${JSON.stringify(expected)} in ${place}`);
  }
  switch (operator) {
    case 'prefix':
      return (value) => typeof value === 'string' && value.startsWith(operand);
    case 'suffix':
      return (value) => typeof value === 'string' && value.endsWith(operand);
    case 'equals-ignore-case':
      return (value) => typeof value === 'string' && value.toLowerCase() === operand.toLowerCase();
    case 'wildcard':
      return (value) => typeof value === 'string' && matchesWildcard(operand, value);
    default:
      throw unsupported(`the comparison ${operator} in ${place}`);
  }
}

/** A text, a list of texts, or a prefix, suffix or wildcard. */
function anythingBut(operand: Json, place: string): Matcher {
  const excepted = listOf(operand).map((value) => matcher(value, place));
  return (value) => !excepted.some((matchesValue) => matchesValue(value));
}

/** `*` stands for any text, `\*` for a star and `\\` for a backslash. Unlike in policies, `?` is an ordinary character. */
function matchesWildcard(wildcard: string, text: string): boolean {
  const parts = [''];
  for (let at = 0; at < wildcard.length; at++) {
    const character = wildcard[at];
    if (character === '*') parts.push('');
    else parts[parts.length - 1] += character === '\\' ? (wildcard[++at] ?? '') : character;
  }
  const first = parts[0];
  const last = parts.at(-1) ?? '';
  if (parts.length === 1) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length)
    return false;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, from);
    if (found < 0) return false;
    from = found + part.length;
  }
  return from <= text.length - last.length;
}
