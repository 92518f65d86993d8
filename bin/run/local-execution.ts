/** Runs one execution in a local cloud, and reports what happened besides its result. */
import { parseFailureCause, type CallTiming, type FailureCause } from '../../client';
import { STEP_STATES } from '../../contract/failures';
import { LocalCloud, type TraceEvent } from '../../local';
import { reportFaults, faultsOf, type FaultsOptions } from '../commands/faults-option';
import { simulatedLabel, simulationOf } from '../commands/simulate-option';
import { failureLine } from '../outputs/failure-line';
import { writeNamedFile } from '../outputs/named-file';
import { FAILED, TERMINATED } from '../process/exit-codes';
import { printLine } from '../terminal/print';
import { clearProgress, showProgress } from '../terminal/progress';
import { chromeTrace } from '../timings/trace-file';

export interface RunOptions extends FaultsOptions {
  readonly inputs?: string;
  readonly inputJson?: string;
  readonly out?: string;
  readonly pipeline?: string;
  readonly trace?: string;
  readonly json?: boolean;
}

interface Failed {
  readonly status: 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  readonly error: string;
  readonly cause: string;
}

export interface LocalExecution<Succeeded extends { readonly status: 'SUCCEEDED' }> {
  execute(cloud: LocalCloud): Promise<Succeeded | Failed>;
  timings(succeeded: Succeeded): readonly CallTiming[];
  /** Prints or writes the result. */
  show(succeeded: Succeeded): Promise<void>;
}

/** Sets the exit code if the execution fails. */
export async function runLocally<Succeeded extends { readonly status: 'SUCCEEDED' }>(
  assembly: string,
  options: RunOptions,
  work: LocalExecution<Succeeded>,
): Promise<void> {
  const { pipeline, trace } = options;
  // process.exit() also ends the functions' processes.
  const stop = (): void => process.exit(TERMINATED);
  process.once('SIGTERM', stop);
  showProgress('publishing the assets to a local S3');
  const events: TraceEvent[] = [];
  const cloud = await LocalCloud.start(assembly, {
    ...(pipeline !== undefined && { pipeline }),
    ...simulationOf(options),
    ...faultsOf(options),
    onTrace: (event) => events.push(event),
  });
  try {
    showProgress('running the state machine');
    const result = await work.execute(cloud);
    clearProgress();
    for (const notice of cloud.notices()) printLine(`note: ${notice}`);
    reportFaults(cloud, options);
    const hasSucceeded = result.status === 'SUCCEEDED';
    if (hasSucceeded) await work.show(result);
    else {
      printLine(failureLine(result.error, causeOf(result, events)));
      process.exitCode = FAILED;
    }
    // Last, because the results matter more if a disk is full.
    if (trace !== undefined) {
      const timings = hasSucceeded ? work.timings(result) : [];
      await writeNamedFile(trace, '--trace', chromeTrace(events, timings, simulatedLabel(options)));
    }
  } finally {
    await cloud.close();
    process.off('SIGTERM', stop);
  }
}

/** A Standard pipeline's own function throws its error as it is. So the state that was entered last says which one it was. */
function causeOf({ cause }: Failed, events: readonly TraceEvent[]): FailureCause {
  const state = events.findLast(({ type }) => type === 'StateEntered')?.state;
  const step = (['preprocess', 'postprocess'] as const).find((name) => STEP_STATES[name] === state);
  return { ...(step !== undefined && { step }), ...parseFailureCause(cause) };
}
