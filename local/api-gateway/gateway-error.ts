/** An answer of API Gateway itself. */
import type * as http from 'node:http';

const MESSAGES = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  413: 'Request Entity Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
} as const;

export class GatewayError extends Error {
  constructor(
    readonly status: keyof typeof MESSAGES,
    readonly headers: http.OutgoingHttpHeaders = {},
    message: string = MESSAGES[status],
  ) {
    super(message);
  }
}
