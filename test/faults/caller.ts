/** Calls a pipeline in the local cloud as an application does, and judges what its executions return and leave in S3. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, RedriveExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import {
  decodeInlineTensor,
  decodeTensors,
  type ExecutionOutput,
  type InferenceError,
  type NumericTensor,
  type ObjectReference,
  OUTPUTS_PREFIX,
  type RawTensor,
  type ServedBy,
  SlicedInferenceClient,
} from '../../client';
import type { LocalCloud } from '../../local';
import { type Evidence, type Written, executionOf, nameOf } from './evidence';
import type { Example } from './examples';
import { judgeFailure, judgeResult, type Verdict } from './judge';
import { fingerprint } from './oracle';

/** How often the client asks about a Standard execution, in milliseconds. */
const POLL_INTERVAL = { first: 50, longest: 250 };

/** In milliseconds. Clients meet no faults, so only what hangs takes longer, also on a busy machine. */
const REQUEST_TIMEOUT = 300_000;

/** What an execution or one of its objects shows. */
export interface Judged {
  readonly execution: number;
  readonly verdict: Verdict;
  readonly servedBy?: ServedBy | undefined;
  readonly executionArn?: string | undefined;
}

export class Caller {
  private readonly stepFunctions: SFNClient;
  private readonly s3: S3Client;
  private readonly client: SlicedInferenceClient;
  /** The name of the execution that a call starts. */
  private readonly name = new AsyncLocalStorage<string>();

  constructor(
    cloud: LocalCloud,
    private readonly example: Example,
    private readonly evidence: Evidence,
  ) {
    const stepFunctions = (this.stepFunctions = new SFNClient(cloud.stepFunctions));
    const s3 = (this.s3 = new S3Client(cloud.s3));
    const { stateMachineArn } = cloud.pipeline;
    this.client = new SlicedInferenceClient({
      stateMachineArn,
      stepFunctions,
      s3,
      pollInterval: POLL_INTERVAL,
      requestTimeout: REQUEST_TIMEOUT,
    });
    // The client invents names, and faults depend on them.
    stepFunctions.middlewareStack.add(
      (next) => (args) =>
        next('name' in args.input ? { ...args, input: { ...args.input, name: this.name.getStore() } } : args),
      { step: 'initialize' },
    );
  }

  close(): void {
    this.stepFunctions.destroy();
    this.s3.destroy();
  }

  async infer(execution: number): Promise<Judged> {
    const { requests } = this.example;
    const { inputs, results } = requests[execution % requests.length];
    try {
      const call = (): ReturnType<SlicedInferenceClient['infer']> => this.client.infer(inputs, { results });
      const { outputs, servedBy } = await this.name.run(nameOf(execution), call);
      const print = fingerprint(
        Object.entries(outputs).map(([name, { dtype, shape, data }]) => [
          name,
          dtype,
          shape,
          data as Float32Array,
        ]),
      );
      return { execution, verdict: this.judge(execution, 'of the call', print), servedBy };
    } catch (error) {
      const verdict = judgeFailure(error, this.evidence.faultsOf(execution));
      return { execution, verdict, executionArn: (error as InferenceError).executionArn };
    }
  }

  /** Continues a failed execution. */
  async redrive({ execution, executionArn }: Judged): Promise<Judged> {
    await this.stepFunctions.send(new RedriveExecutionCommand({ executionArn }));
    for (;;) {
      const end = await this.stepFunctions.send(new DescribeExecutionCommand({ executionArn }));
      if (end.output !== undefined) {
        const { tensors, s3 } = (JSON.parse(end.output) as ExecutionOutput).outputs;
        const inline = Object.entries(tensors ?? {}).map(
          ([name, tensor]) => [name, decodeInlineTensor(name, tensor)] as const,
        );
        const print = s3 === undefined || inline.length > 0 ? printOf(inline) : await this.stored(s3);
        return { execution, verdict: this.judge(execution, 'of the redrive', print) };
      }
      if (end.status !== 'RUNNING') {
        const what = `redriven: ${end.status}: ${end.error}: ${end.cause}`;
        return { execution, verdict: { outcome: 'unexplained', what } };
      }
      await delay(20);
    }
  }

  /** A key of a run is written once: another attempt must not replace what a reader may have read. */
  async judgeObject({ bucket, key, times }: Written): Promise<Judged> {
    const execution = executionOf(key);
    if (times > 1)
      return { execution, verdict: { outcome: 'overwritten', what: `${key} was written ${times} times` } };
    try {
      const print = await this.stored({ bucket, key });
      const isResult = key.startsWith(OUTPUTS_PREFIX);
      return {
        execution,
        verdict: isResult ? this.judge(execution, 'in S3', print) : { outcome: 'identical' },
      };
    } catch (error) {
      return { execution, verdict: { outcome: 'damaged', what: `${key}: ${String(error)}` } };
    }
  }

  private judge(execution: number, place: string, print: string): Verdict {
    const { references, requests } = this.example;
    return judgeResult(place, print, references, execution % requests.length);
  }

  /** @throws Error if an object lacks the checksums of S3, which the SDK compares, or those of its tensors */
  private async stored({ bucket, key }: ObjectReference): Promise<string> {
    const command = new GetObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' });
    const { Body } = await this.s3.send(command);
    return printOf(decodeTensors((await Body?.transformToByteArray()) ?? new Uint8Array()));
  }
}

function printOf(tensors: Iterable<readonly [string, RawTensor]>): string {
  return fingerprint(
    [...tensors].map(([name, tensor]) => [name, tensor.dtype, tensor.shape, (tensor as NumericTensor).bytes]),
  );
}
