/** An answer of API Gateway itself. */
import type * as http from 'node:http';

export class GatewayError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: http.OutgoingHttpHeaders = {},
  ) {
    super(message);
  }
}

export const forbidden = (): GatewayError => new GatewayError(403, 'Forbidden');
