/** A number of executions of one pipeline in one local cloud, all under faults. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ServedBy } from '../../client';
import { type Faults, type InjectedFault, LocalCloud } from '../../local';
import { Caller, type Judged } from './caller';
import { Evidence } from './evidence';
import type { Example } from './examples';
import { isViolation, type Verdict } from './judge';
import { Slots } from './slots';

/** Retries of the state machine wait a tenth of what they wait on AWS. Functions wait as long as there. */
const RETRY_PAUSES = 0.1;

/** Objects to read at the same time. */
const READS = 8;

export interface Round {
  readonly example: Example;
  /** Numbers of the executions. The same number meets the same faults. */
  readonly executions: readonly number[];
}

/** An execution that has ended. */
export interface Played {
  readonly execution: number;
  readonly verdict: Verdict;
  readonly faults: readonly InjectedFault[];
  /** Only with consolidation. */
  readonly servedBy?: ServedBy | undefined;
  /** Of a failed Standard execution that was redriven without faults. */
  readonly redriven?: Verdict | undefined;
}

export interface PlayedRound {
  readonly played: readonly Played[];
  /** Violations that belong to no execution. */
  readonly stray: readonly string[];
  /** Of runs and results. */
  readonly objects: number;
}

/** @param slots shared by all rounds */
export async function playRound(
  { example, executions }: Round,
  faults: Faults,
  slots: Slots,
): Promise<PlayedRound> {
  const evidence = new Evidence();
  const { onFault, onWrite } = evidence;
  const options = { faults, retryPauses: RETRY_PAUSES, onFault, onWrite };
  const cloud = await LocalCloud.start(example.assembly, options);
  const caller = new Caller(cloud, example, evidence);
  try {
    const ended = await slots.all(executions, (execution) => caller.infer(execution));
    cloud.injectFaults(undefined);
    await cloud.asynchronousCalls();
    // Deliveries of calls whose result nobody needs.
    while (cloud.workers().some(({ busy }) => busy)) await delay(20);
    const failed = ended.filter(({ verdict }) => verdict.outcome === 'failed');
    const isStandard = cloud.pipeline.stateMachineType === 'STANDARD';
    const redriven = await slots.all(isStandard ? failed : [], (each) => caller.redrive(each));
    const objects = await new Slots(READS).all(evidence.written(), (object) => caller.judgeObject(object));
    const violations = objects.filter(({ verdict }) => isViolation(verdict));
    return {
      played: ended.map(({ execution, verdict, servedBy }) => ({
        ...{ execution, servedBy, faults: evidence.faultsOf(execution) },
        verdict: isViolation(verdict) ? verdict : (verdictOf(execution, violations) ?? verdict),
        redriven: verdictOf(execution, redriven),
      })),
      stray: evidence.stray(),
      objects: objects.length,
    };
  } finally {
    caller.close();
    await cloud.close();
  }
}

function verdictOf(execution: number, judged: readonly Judged[]): Verdict | undefined {
  return judged.find((each) => each.execution === execution)?.verdict;
}
