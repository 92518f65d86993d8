/** Asks for a pipeline's description once, and again after a deployment, which keeps the ARN. */
import { quotedName, kindOf } from '../../lambda/json-values';
import { sharedController } from '../run/wait';
import {
  type MachineDescription,
  type PipelineDescription,
  readDescription,
  readMachine,
  type Described,
} from './pipeline-description';
import { ERROR_NAMES } from '../../contract/failures';
import type { PipelineSignature } from '../../contract/signature';
import { InferenceError } from '../errors';
import { parseFailureCause } from '../failure-cause';

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachine.html; an alias or a version may follow. */
const ARN = /^(arn:[\w-]+:states:([\w-]+):\d{12}):stateMachine:([^:/\s]{1,80})(:[^:/\s]{1,80})?$/;

export interface StateMachineArn {
  /** As the caller has it. */
  readonly given: string;
  readonly region: string;
  /** What DescribeStateMachine takes: it is documented for state machines and versions, but not for aliases. */
  readonly describedArn: string;
  /** The ARN of an execution of this name, as far as it is known before Step Functions tells it. */
  executionArn(name: string): string;
}

export function parseStateMachineArn(value: unknown): StateMachineArn {
  const match = typeof value === 'string' ? ARN.exec(value) : null;
  if (match === null) {
    const got = typeof value === 'string' ? quotedName(value) : kindOf(value);
    throw new TypeError(
      `option stateMachineArn must be the ARN of a state machine, got ${got}: pass pipeline.stateMachine.stateMachineArn`,
    );
  }
  const [text, start, region, machine] = match;
  const unqualified = `${start}:stateMachine:${machine}`;
  // An alias has a character that is no digit: https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachineAlias.html
  const isVersion = /^:\d+$/.test(text.slice(unqualified.length));
  return {
    given: text,
    region,
    describedArn: isVersion ? text : unqualified,
    executionArn: (name) => `${start}:execution:${machine}:${name}`,
  };
}

interface Made {
  readonly deploymentDigest: string;
  readonly bucket: string | undefined;
}

/** Milliseconds. An alias may start an older version for weeks, whose outputs never fit the description. */
const UNFIT_PAUSE = 60_000;

export class PipelineDescriptions {
  private last: Promise<Described> | undefined;
  private asking: Promise<Described> | undefined;
  /** The output that the description did not fit even when it was new, and when that was. */
  private unfit: { readonly deploymentDigest: string; readonly at: number } | undefined;
  /** Of the requests under way. Calls share them, so no call's own signal may end them. */
  private requests = sharedController();

  /**
   * @param stateMachineArn as the caller has it, for messages
   * @param describe asks the state machine or the function
   */
  constructor(
    private readonly stateMachineArn: string,
    private readonly describe: (signal: AbortSignal) => Promise<Described>,
  ) {}

  /** What `invoke` needs, also of a state machine that contains a pipeline. Asks as `known` does. */
  async machine(): Promise<MachineDescription> {
    return readMachine(this.stateMachineArn, await (this.last ?? this.ask()));
  }

  known(): Promise<PipelineDescription> {
    return this.read(this.last ?? this.ask());
  }

  latest(): Promise<PipelineDescription> {
    return this.read(this.ask());
  }

  /**
   * The description of the deployment that made an output: `known`, or if that is of another deployment, the latest. The latest may be of
   * another deployment too.
   */
  async fitting(known: PipelineDescription, output: Made): Promise<PipelineDescription> {
    const isInBucket = output.bucket === undefined || output.bucket === known.bucket;
    if (isInBucket && (isBy(known, output) || this.isUnfit(output))) return known;
    try {
      // Another call that the same deployment overtook may have asked already.
      const shared = await this.known();
      if (isBy(shared, output)) return shared;
      const latest = await this.read(this.asking ?? this.ask());
      if (!isBy(latest, output)) {
        this.unfit = { deploymentDigest: output.deploymentDigest, at: performance.now() };
      }
      return latest;
    } catch (error) {
      // The results are complete. Only their check needs the description.
      if (isInBucket) return known;
      throw error;
    }
  }

  /** Asks Step Functions, whether or not the state machine is that of a pipeline. Calls that ask at the same time share one request. */
  async askAgain(): Promise<void> {
    await (this.asking ?? this.ask());
  }

  /** Ends the requests under way, which would otherwise keep the process alive although no call waits for them. */
  close(reason: Error): void {
    this.requests.abort(reason);
    this.requests = sharedController();
  }

  private isUnfit({ deploymentDigest }: Made): boolean {
    const { unfit } = this;
    return unfit?.deploymentDigest === deploymentDigest && performance.now() - unfit.at < UNFIT_PAUSE;
  }

  private async read(asked: Promise<Described>): Promise<PipelineDescription> {
    const described = await asked;
    try {
      return readDescription(this.stateMachineArn, described);
    } catch (error) {
      this.forget(asked);
      throw error;
    }
  }

  private ask(): Promise<Described> {
    const asked = this.describe(this.requests.signal);
    this.last = asked;
    this.asking = asked;
    const end = (): void => {
      if (this.asking === asked) this.asking = undefined;
    };
    asked.then(end, () => {
      end();
      this.forget(asked);
    });
    return asked;
  }

  private forget(asked: Promise<Described>): void {
    if (this.last === asked) this.last = undefined;
  }
}

function isBy({ signature }: PipelineDescription, { deploymentDigest }: Made): boolean {
  return signature.deploymentDigest === deploymentDigest;
}

export interface Deployment {
  readonly type: string;
  /** Only of a call that passes tensors. */
  readonly signature?: PipelineSignature;
}

export function isOutdated({ type, signature }: Deployment, now: MachineDescription): boolean {
  if (type !== now.type) return true;
  if (signature === undefined) return false;
  return (
    signature.bucket !== now.signature?.bucket ||
    signature.deploymentDigest !== now.signature.deploymentDigest
  );
}

/** Errors of requests that a call made from the description of an earlier deployment. These requests have started nothing. */
const REFUSALS: readonly string[] = [
  // The bucket is gone, or is now that of another account.
  'NoSuchBucket',
  'AccessDenied',
  // https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html
  'StateMachineTypeNotSupported',
];

export function mayBeOutdated(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (!(error instanceof InferenceError)) return REFUSALS.includes(error.name);
  // The request is in another bucket than the slices read, or has the inputs of another model.
  return error.name === ERROR_NAMES.invalidInput && error.executionArn !== undefined;
}

/** How Lambda answers if a deployment has removed a function, or the permission to call it. The cause has the function's ARN. */
const LOST_FUNCTION: readonly string[] = ['Lambda.ResourceNotFoundException', 'Lambda.AWSLambdaException'];
const FUNCTION_ARN = /\barn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w-]+(?::[\w-]+)?/;

const DIGEST = /^[0-9a-f]{64}$/;

/**
 * Text of a failure that the definition of the state machine contains while it is the one that has run. If a later definition lacks it, a
 * deployment explains the failure. The failures of the user's own functions have none, whatever their names are.
 *
 * @param isPipeline whether the state machine is a pipeline's, whose definition names all functions that it calls
 * @returns `undefined` if no deployment can explain the failure
 */
export function traceOfDeployment(error: unknown, isPipeline: boolean): string | undefined {
  if (!(error instanceof InferenceError) || typeof error.cause !== 'string') return undefined;
  const { name, cause, step } = error;
  const { slice, got, deploymentDigest } = parseFailureCause(cause);
  if (step !== undefined) return undefined;
  if (LOST_FUNCTION.includes(name) && (isPipeline || slice !== undefined)) {
    const arn = FUNCTION_ARN.exec(cause)?.[0];
    // Version 1 of a function is not version 12.
    return arn && `${arn}"`;
  }
  const digest = name === ERROR_NAMES.planChanged ? got : deploymentDigest;
  return slice !== undefined && digest !== undefined && DIGEST.test(digest) ? digest : undefined;
}
