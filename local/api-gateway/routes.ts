/** Route keys such as `POST /read`: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html */
import { unsupported } from '../local-cloud-error';

export interface RouteKey {
  /** As the template has it. */
  readonly text: string;
  /** `ANY` stands for all methods. */
  readonly method: string;
  /** `undefined` for `$default`, which catches what no other route does. */
  readonly segments: readonly Segment[] | undefined;
}

type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'variable' | 'greedy'; readonly name: string };

export interface RouteMatch<T> {
  readonly route: T;
  /** Values of the variables in the path. */
  readonly variables: Readonly<Record<string, string>>;
}

/** @throws LocalCloudError when the text is no route key of an HTTP API */
export function parseRouteKey(text: string, where: string): RouteKey {
  if (text === '$default') return { text, method: 'ANY', segments: undefined };
  const parts = /^([A-Z]+) \/(\S*)$/.exec(text);
  if (parts === null) throw unsupported(`the route key '${text}' of ${where}`);
  const [, method, path] = parts;
  return { text, method, segments: path.split('/').map(parseSegment) };
}

function parseSegment(text: string): Segment {
  const variable = /^\{(\w+)(\+?)\}$/.exec(text);
  if (variable === null) return { kind: 'literal', text };
  const [, name, plus] = variable;
  return { kind: plus === '+' ? 'greedy' : 'variable', name };
}

/**
 * The route that fits best: texts before variables, variables before greedy variables, a method before `ANY`, and `$default`
 * last.
 * @param path decoded segments of the request's path
 */
export function matchRoute<T extends { readonly key: RouteKey }>(
  routes: readonly T[],
  method: string,
  path: readonly string[],
): RouteMatch<T> | undefined {
  const found = routes.flatMap((route) => {
    if (route.key.method !== 'ANY' && route.key.method !== method) return [];
    const variables = match(route.key.segments, path);
    return variables === undefined ? [] : [{ route, variables }];
  });
  return found.sort((a, b) => compare(a.route.key, b.route.key)).at(0);
}

function match(
  segments: readonly Segment[] | undefined,
  path: readonly string[],
): Record<string, string> | undefined {
  if (segments === undefined) return {};
  const variables: Record<string, string> = {};
  for (const [at, segment] of segments.entries()) {
    const part = path.at(at);
    if (at >= path.length || part === undefined) return undefined;
    if (segment.kind === 'greedy') {
      variables[segment.name] = path.slice(at).join('/');
      return part === '' ? undefined : variables;
    }
    if (segment.kind === 'literal' ? segment.text !== part : part === '') return undefined;
    if (segment.kind === 'variable') variables[segment.name] = part;
  }
  return path.length === segments.length ? variables : undefined;
}

/** Negative if the first route key is the better match. */
function compare(a: RouteKey, b: RouteKey): number {
  const [ofA, ofB] = [rank(a), rank(b)];
  for (let at = 0; at < Math.min(ofA.length, ofB.length); at++) {
    if (ofA[at] !== ofB[at]) return ofA[at] - ofB[at];
  }
  return ofB.length - ofA.length || Number(a.method === 'ANY') - Number(b.method === 'ANY');
}

function rank({ segments }: RouteKey): number[] {
  const ranks = { literal: 0, variable: 1, greedy: 2 };
  return segments === undefined ? [3] : segments.map(({ kind }) => ranks[kind]);
}
