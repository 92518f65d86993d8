/** Route keys such as `POST /read`: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html */
import { unsupported } from '../local-cloud-error';

export interface RouteKey {
  /** As the template has it. */
  readonly text: string;
  /** `ANY` stands for all methods. */
  readonly method: string;
  /** Matches a path of encoded segments. Its groups are the values of the variables. */
  readonly path: RegExp;
  /** A letter for each segment: the route key that comes first is the better match. */
  readonly rank: string;
}

interface RouteMatch<T> {
  readonly route: T;
  /** Values of the variables in the path. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Texts before variables before greedy variables before the end of a shorter path. */
const [TEXT, VARIABLE, GREEDY, END, LAST] = ['a', 'b', 'c', 'd', 'z'];

/** @throws LocalCloudError when the text is no route key of an HTTP API */
export function parseRouteKey(text: string, where: string): RouteKey {
  if (text === '$default') return { text, method: 'ANY', path: /^/, rank: LAST };
  const parts = /^([A-Z]+) \/(\S*)$/.exec(text);
  if (parts === null) throw unsupported(`the route key '${text}' of ${where}`);
  const [, method, path] = parts;
  const segments = path.split('/').map((segment): readonly [pattern: string, rank: string] => {
    const variable = /^\{(\w+)(\+?)\}$/.exec(segment);
    if (variable === null) return [encodeURIComponent(segment).replaceAll(/[^\w%-]/g, '\\$&'), TEXT];
    const [, name, plus] = variable;
    return plus === '+' ? [`(?<${name}>[^/].*)`, GREEDY] : [`(?<${name}>[^/]+)`, VARIABLE];
  });
  return {
    text,
    method,
    path: new RegExp(`^${segments.map(([pattern]) => pattern).join('/')}$`),
    rank: segments.map(([, rank]) => rank).join('') + END + (method === 'ANY' ? 'b' : 'a'),
  };
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
  const encoded = path.map(encodeURIComponent).join('/');
  const route = routes
    .filter(({ key }) => (key.method === 'ANY' || key.method === method) && key.path.test(encoded))
    .sort((a, b) => (a.key.rank < b.key.rank ? -1 : 1))
    .at(0);
  if (route === undefined) return undefined;
  const values = Object.entries(route.key.path.exec(encoded)?.groups ?? {});
  return {
    route,
    variables: Object.fromEntries(values.map(([name, value]) => [name, decodeURIComponent(value)])),
  };
}
