/** Authorizes a request for a route: by nothing, by IAM, or by a JSON Web Token. */
import type * as http from 'node:http';
import type { JsonObject } from '../json';
import { SignatureError } from '../http/signature-v4';
import type { Caller } from '../s3/callers';
import { signingCaller } from '../step-functions/api/authenticate';
import { GatewayError } from './gateway-error';
import type { Authorization, GatewayOptions } from './http-api';
import { authorizeToken } from './jwt';
import { type MappedRequest, parameterValue } from './parameter-mapping';

const UNVERIFIED =
  "the HTTP API does not verify the signatures of tokens: pass the issuer's keys as jwksFile, or as --jwks of the command";

/** The answer does not say why, as on AWS. */
const REFUSED = 'the HTTP API refused a request with 403';

interface AuthorizedRequest {
  readonly message: http.IncomingMessage;
  readonly request: MappedRequest;
  /** Stage, method and path, as the ARN of the call has them. */
  readonly place: string;
}

/**
 * @returns the claims of the token, or none
 * @throws GatewayError 401 or 403
 */
export function authorize(
  apiId: string,
  authorization: Authorization,
  { message, request, place }: AuthorizedRequest,
  options: GatewayOptions,
): JsonObject {
  switch (authorization.type) {
    case 'NONE':
      return {};
    case 'AWS_IAM': {
      const { principal } = callerOf(message, request.body, options);
      const { region, account } = options.authorizer;
      const resource = `arn:aws:execute-api:${region}:${account}:${apiId}/${place}`;
      // A caller without a principal may make every request.
      const refusal =
        principal && options.authorizer.refusal(principal, { action: 'execute-api:Invoke', resource });
      if (refusal !== undefined) {
        options.onNotice(`${REFUSED}: ${refusal}`);
        throw new GatewayError(403);
      }
      return {};
    }
    case 'JWT': {
      const { authorizer, scopes } = authorization;
      const token = parameterValue(authorizer.source, request);
      const claims = authorizeToken(token, authorizer, { scopes, keys: options.keys, now: Date.now() });
      if (options.keys === undefined) options.onNotice(UNVERIFIED);
      return claims;
    }
  }
}

/** API Gateway answers all faults of signatures alike. */
function callerOf(message: http.IncomingMessage, body: Buffer, options: GatewayOptions): Caller {
  try {
    const { callers, authorizer } = options;
    return signingCaller(message, body, { callers, region: authorizer.region, service: 'execute-api' });
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    // Not the message, which has texts of the request: each would be another notice.
    options.onNotice(`${REFUSED}, because of its signature: ${error.fault.replaceAll('-', ' ')}`);
    throw new GatewayError(403);
  }
}
