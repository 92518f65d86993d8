/**
 * Turns an event into the input of a target.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 */
import { unsupported } from '../local-cloud-error';
import {
  entriesOf,
  isJsonObject,
  type Json,
  type JsonObject,
  type JsonPath,
  parseJsonPath,
  valueAt,
} from '../json';

export interface InputTransformer {
  /** Paths into the event, by the name of the variable. */
  readonly paths: ReadonlyMap<string, JsonPath>;
  readonly template: string;
}

const PLACEHOLDER = /<([\w.-]+)>/g;

export function parseTransformer(
  { InputPathsMap: paths = {}, InputTemplate: template }: JsonObject,
  where: string,
): InputTransformer {
  if (typeof template !== 'string' || !isJsonObject(paths)) {
    throw unsupported(`the InputTransformer of ${where}, which has no template`);
  }
  const variables = new Map(
    entriesOf(paths).map(([name, path]) => [name, parsePath(path, `the InputTransformer of ${where}`)]),
  );
  for (const [placeholder, name = ''] of template.matchAll(PLACEHOLDER)) {
    if (variables.has(name)) continue;
    throw unsupported(`the unknown variable ${placeholder} in the InputTemplate of ${where}`);
  }
  return { paths: variables, template };
}

/** `$`, or fields and indexes such as `$.detail.object.key` and `$.resources[0]`. */
export function parsePath(path: Json, where: string): JsonPath {
  const parsed = typeof path === 'string' && path.startsWith('$') ? parseJsonPath(path.slice(1)) : undefined;
  if (parsed !== undefined) return parsed;
  const what = `the path ${JSON.stringify(path)} in ${where}`;
  throw unsupported(what, 'use names and indexes, such as $.detail.object.key');
}

/**
 * The text of the target's input, which is JSON if the template is. A variable within quotes becomes text, and any other one becomes JSON. A variable without a
 * value disappears.
 */
export function transform({ paths, template }: InputTransformer, event: JsonObject): string {
  let text = '';
  let quoted = false;
  let from = 0;
  for (const match of template.matchAll(PLACEHOLDER)) {
    const before = template.slice(from, match.index);
    quoted = isQuotedAfter(before, quoted);
    const value = valueAt(event, paths.get(match[1]) ?? []);
    text += before + (value === undefined ? '' : quoted ? quotedText(value) : JSON.stringify(value));
    from = match.index + match[0].length;
  }
  return text + template.slice(from);
}

/** Escaped quotes do not count. */
function isQuotedAfter(text: string, before: boolean): boolean {
  const quotes = text.replaceAll(/\\./gs, '').split('"').length - 1;
  return quotes % 2 === 0 ? before : !before;
}

/** JSON without its own quotes, so that the text around it stays JSON. */
function quotedText(value: Json): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return JSON.stringify(text).slice(1, -1);
}
