/**
 * Parameters of an integration, taken from the request.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services.html
 */
import { unsupported } from '../local-cloud-error';
import { type Json, type JsonPath, parseJson, parseJsonPath, valueAt } from '../json';

/** API Gateway cuts a body here before it looks for a field in it. */
const MAX_SELECTED_BODY_BYTES = 102_400;

export type ParameterSource =
  | { readonly from: 'static'; readonly text: string }
  | { readonly from: 'header' | 'querystring' | 'path'; readonly name: string }
  | { readonly from: 'body'; readonly path: JsonPath };

export interface MappedRequest {
  /** In lower case. */
  readonly headers: Readonly<Partial<Record<string, string>>>;
  readonly query: URLSearchParams;
  readonly variables: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** @throws LocalCloudError for an expression that the local cloud does not know */
export function parseParameter(value: Json, where: string): ParameterSource {
  if (typeof value !== 'string' || value.includes('${')) {
    throw unsupported(`the parameter ${JSON.stringify(value)} of ${where}`);
  }
  if (!value.startsWith('$')) return { from: 'static', text: value };
  if (value === '$request.body') return { from: 'body', path: [] };
  const part = /^\$request\.(header|querystring|path)\.([\w-]+)$/.exec(value);
  if (part !== null) {
    const [, kind, name] = part;
    if (kind === 'header') return { from: kind, name: name.toLowerCase() };
    if (kind === 'querystring' || kind === 'path') return { from: kind, name };
  }
  const path = value.startsWith('$request.body.')
    ? parseJsonPath(value.slice('$request.body'.length))
    : undefined;
  if (path !== undefined) return { from: 'body', path };
  throw unsupported(`the expression ${value} of ${where}`);
}

/** The value of a parameter; `undefined` if the request does not have it. */
export function parameterValue(source: ParameterSource, request: MappedRequest): string | undefined {
  switch (source.from) {
    case 'static':
      return source.text;
    case 'header':
      return request.headers[source.name];
    case 'querystring': {
      const values = request.query.getAll(source.name);
      return values.length === 0 ? undefined : values.join(',');
    }
    case 'path':
      return Object.hasOwn(request.variables, source.name) ? request.variables[source.name] : undefined;
    case 'body':
      return bodyAt(request.body, source.path);
  }
}

/** An empty body counts as none: that is believed, not documented. A body that is not JSON has no fields. */
function bodyAt(body: Buffer, path: JsonPath): string | undefined {
  if (body.length === 0) return undefined;
  if (path.length === 0) return body.toString('utf8');
  return body.length > MAX_SELECTED_BODY_BYTES
    ? undefined
    : text(valueAt(parseJson(body.toString('utf8')), path));
}

function text(value: Json | undefined): string | undefined {
  return value === undefined || typeof value === 'string' ? value : JSON.stringify(value);
}
