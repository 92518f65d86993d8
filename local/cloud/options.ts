import type { Faults, InjectedFault } from '../faults/injector';
import type { Access } from '../iam/authorizer';
import type { LogListener } from '../lambda/function-log';
import type { CreatedObject } from '../s3/store';
import type { SimulationName } from '../simulation/presets';
import type { TraceEvent } from '../step-functions/execution';

export interface LocalCloudOptions {
  /**
   * Which state machine to run, that of a pipeline or one of your own: the id of its construct, its stack's name, both as
   * `stack/id`, or its logical id with or without the eight digits that CDK appends. The stack's other state machines run too, as far as the local cloud supports them.
   * @default - the assembly's only pipeline
   */
  readonly pipeline?: string;
  /** Called with each line that a function writes. */
  readonly onLog?: LogListener;
  /** Called with each event of an execution. */
  readonly onTrace?: (event: TraceEvent) => void;
  /** Called with each decision about a permission. */
  readonly onAccess?: (access: Access) => void;
  /** @internal Called with each object that a write has created or replaced. */
  readonly onWrite?: (written: CreatedObject) => void;
  /**
   * ARNs of the KMS keys of buckets that the pipeline's stack does not define, by the bucket's name. The bucket of CDK's assets
   * is one of them.
   * @default - these buckets are not encrypted with a customer managed key
   */
  readonly bucketKeys?: Readonly<Record<string, string>>;
  /**
   * Slows S3, cold starts and state transitions down to about their speed on AWS. The times of such a run are simulated. One of
   * `SIMULATION_NAMES`, such as `aws`.
   * @default - everything runs as fast as this machine allows
   */
  readonly simulation?: SimulationName;
  /**
   * Path of an environment file, as `sliced-inference calibrate` writes it, whose constants the simulation uses.
   * @default - published measurements
   */
  readonly simulationEnvironment?: string;
  /**
   * Seed of the simulated delays, a whole number. With the same seed, the n-th request of a function's m-th sandbox waits as long
   * again, and so does the n-th transition of a state machine.
   * @default 0
   */
  readonly simulationSeed?: number;
  /**
   * The ports that S3, Step Functions, Lambda, the HTTP API and the URL of a function listen on, of the loopback
   * interface. 0 is a free one.
   * @default - free ports
   */
  readonly ports?: {
    readonly s3: number;
    readonly stepFunctions: number;
    readonly lambda?: number;
    readonly http?: number;
    /** Of the first URL, if the stack has several. */
    readonly functionUrl?: number;
  };
  /** Called with each new one of `LocalCloud.notices()`. */
  readonly onNotice?: (notice: string) => void;
  /**
   * Concurrent calls of all functions, as in your AWS account. New accounts often have 10.
   * @default 1000
   */
  readonly concurrency?: number;
  /**
   * Node.js binaries by major version, such as `{ '22': '/opt/node-22/bin/node' }`, for functions that declare this version.
   * @default - functions run with the Node.js of this program
   */
  readonly nodeBinaries?: Readonly<Record<string, string>>;
  /**
   * Faults of S3, Lambda and the network that functions meet.
   * @default - none
   */
  readonly faults?: Faults;
  /** Called with each fault that was injected. */
  readonly onFault?: (fault: InjectedFault) => void;
  /**
   * How long the state machine waits before it retries, as a share of what its definition says. Functions wait as long as ever.
   * @default 1
   */
  readonly retryPauses?: number;
  /**
   * How long functions and executions may take, as a multiple of their timeouts, because this machine may be slower than AWS. With 1,
   * a test sees timeouts as they are. The times within a run of a batch stay as they are.
   * @default 10
   */
  readonly timeouts?: number;
}
