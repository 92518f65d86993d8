/** An HTTP API that starts state machines. */
import type { Authorizer } from '../iam/authorizer';
import type { LocalCloudError } from '../local-cloud-error';
import type { Callers } from '../s3/callers';
import type { StateMachines } from '../step-functions/state-machines';

export interface HttpApi {
  readonly id: string;
  readonly routes: readonly Route[];
  /** Keys of routes that the local cloud does not serve: those with variables, and `$default`. */
  readonly refusedKeys: readonly string[];
  readonly roleArns: readonly string[];
}

/** Such as `POST /read`: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html */
export interface RouteKey {
  /** As the template has it. */
  readonly text: string;
  /** `ANY` stands for all methods. */
  readonly method: string;
  readonly path: string;
}

export interface Route {
  readonly key: RouteKey;
  readonly authorization: 'NONE' | 'AWS_IAM';
  /** A route without a known one, or with another authorization, answers with the error. */
  readonly integration: Integration | LocalCloudError;
}

/** The only stage that is served: it has no name in paths. */
export const STAGE = '$default';

/** As the value of a parameter, stands for the body of the request. */
export const BODY = '$request.body';

/** A first-class integration with Step Functions. */
export interface Integration {
  readonly action: 'StartExecution' | 'StartSyncExecution';
  /** API Gateway starts executions as this role. */
  readonly roleArn: string;
  readonly stateMachineArn: string;
  /** The parameters of the request to Step Functions, by the name that Step Functions gives them: constants, or `BODY`. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  readonly timeoutMs: number;
}

export interface GatewayOptions {
  readonly machines: StateMachines;
  readonly callers: Callers;
  readonly authorizer: Authorizer;
  /** Ends all waiting with its reason. */
  readonly signal: AbortSignal;
  /** Called with what API Gateway does not tell the client: why a request failed. */
  readonly onNotice: (notice: string) => void;
}

/** An answer of API Gateway itself. */
export class GatewayError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}
