/** Route keys such as `POST /read`: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html */

export interface RouteKey {
  /** As the template has it. */
  readonly text: string;
  /** `ANY` stands for all methods. */
  readonly method: string;
  readonly path: string;
}

/** `undefined` for a route key with variables, and for `$default`. */
export function parseRouteKey(text: string): RouteKey | undefined {
  const parts = /^([A-Z]+) (\/[^\s{}]*)$/.exec(text);
  if (parts === null) return undefined;
  const [, method, path] = parts;
  return { text, method, path };
}

/** The route of this decoded path; one of this method before `ANY`. */
export function matchRoute<T extends { readonly key: RouteKey }>(
  routes: readonly T[],
  method: string,
  path: string,
): T | undefined {
  const ofMethod = (own: string): T | undefined =>
    routes.find(({ key }) => key.method === own && key.path === path);
  return ofMethod(method) ?? ofMethod('ANY');
}
