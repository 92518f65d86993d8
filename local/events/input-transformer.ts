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
  const variables = new Map(entriesOf(paths).map(([name, path]) => [name, parsePath(path, where)]));
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
  throw unsupported(`the path ${JSON.stringify(path)} in ${where}`, 'use names, such as $.detail.object.key');
}

/**
 * The text of the target's input, which is JSON if the template is. A variable within quotes becomes text, and any other one becomes JSON. A variable without a
 * value disappears.
 */
export function transform({ paths, template }: InputTransformer, event: JsonObject): string {
  let quoted = false;
  // The odd parts are names of variables.
  return template
    .split(PLACEHOLDER)
    .map((part, at) => {
      if (at % 2 === 0) {
        // Escaped quotes do not count.
        if (part.replaceAll(/\\./gs, '').split('"').length % 2 === 0) quoted = !quoted;
        return part;
      }
      const path = paths.get(part);
      if (path === undefined) return `<${part}>`;
      const value = valueAt(event, path);
      if (value === undefined) return '';
      if (!quoted) return JSON.stringify(value);
      // JSON without its own quotes, so that the text around it stays JSON.
      return JSON.stringify(typeof value === 'string' ? value : JSON.stringify(value)).slice(1, -1);
    })
    .join('');
}
