/** An answer of API Gateway itself. */
export class GatewayError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export const forbidden = (): GatewayError => new GatewayError(403, 'Forbidden');
