/** Reads the description of a state machine. Anyone can write a comment, so everything is checked. */
import { isRecord } from '../../lambda/json-values';
import { MAX_INLINE_RESULT_BYTES } from '../../contract/execution';
import { SIGNATURE_KEY } from '../../contract/signature';
import { MAX_REQUEST_BYTES } from '../../contract/slice-event';
import { InferenceError } from '../errors';
import { parsedRecord } from '../json-record';
import { checkedSignature } from './check-signature';
import type { MachineDescription, PipelineDescription } from './pipeline-description';

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html */
const MAX_DEFINITION_CHARACTERS = 1_048_576;

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const MAX_EXECUTION_DATA_BYTES = 262_144;

/** The longest execution of an Express state machine, in seconds. Source: the quotas above. */
const MAX_EXPRESS_SECONDS = 300;

export interface Described {
  readonly definition?: string | undefined;
  readonly type?: string | undefined;
}

/** @throws InferenceError `NotAPipeline` if the definition is not that of a pipeline */
export function readDescription(stateMachineArn: string, described: Described): PipelineDescription {
  const { type, executionSeconds, signature: found } = readDefinition(stateMachineArn, described);
  if (found === undefined) throw notAPipeline(stateMachineArn, 'a comment without a signature');
  const signature = checkedSignature(found, (problem) => notAPipeline(stateMachineArn, problem));
  return {
    stateMachineArn,
    type,
    bucket: signature.bucket,
    signature,
    limits: {
      requestBytes: MAX_REQUEST_BYTES,
      inlineResultBytes: MAX_INLINE_RESULT_BYTES,
      executionInputBytes: MAX_EXECUTION_DATA_BYTES,
      ...(executionSeconds !== undefined && { executionSeconds }),
    },
  };
}

/** @throws InferenceError `NotAPipeline` if there is no definition */
export function readMachine(stateMachineArn: string, described: Described): MachineDescription {
  const { type, executionSeconds, signature } = readDefinition(stateMachineArn, described);
  const { definition = '' } = described;
  const { preprocess, postprocess, bucket, deploymentDigest } = isRecord(signature) ? signature : {};
  const hasOwnFunctions = (preprocess ?? postprocess) === true;
  return {
    ...{ type, hasOwnFunctions, bucket, deploymentDigest, definition },
    ...(executionSeconds !== undefined && { executionSeconds }),
  };
}

interface Definition {
  readonly type: 'EXPRESS' | 'STANDARD';
  readonly executionSeconds: number | undefined;
  /** Unchecked; `undefined` if the comment has none. */
  readonly signature: unknown;
}

function readDefinition(stateMachineArn: string, { definition, type }: Described): Definition {
  if (definition === undefined || definition.length > MAX_DEFINITION_CHARACTERS) {
    throw notAPipeline(stateMachineArn, 'no definition that can be read');
  }
  if (type !== 'EXPRESS' && type !== 'STANDARD') throw notAPipeline(stateMachineArn, 'another type');
  const { Comment: comment, TimeoutSeconds: timeout } = parsedRecord(definition) ?? {};
  const signature = typeof comment === 'string' ? parsedRecord(comment)?.[SIGNATURE_KEY] : undefined;
  if (typeof timeout === 'number' && timeout > 0) return { type, executionSeconds: timeout, signature };
  return { type, executionSeconds: type === 'EXPRESS' ? MAX_EXPRESS_SECONDS : undefined, signature };
}

function notAPipeline(arn: string, got: string): InferenceError {
  return new InferenceError(
    'NotAPipeline',
    `${arn} must be the state machine of a SlicedInferencePipeline, got ${got}: check the ARN, use invoke for your own state machine, or deploy with this version of the package`,
    { got },
  );
}
