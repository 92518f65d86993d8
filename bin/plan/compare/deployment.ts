/**
 * What a deployment of plan B replaces in a stack that has plan A, as the construct makes both with the same id. A test compares it
 * with two synthesized stacks.
 */
import { WHOLE, sliceName } from '../../../contract/keys';
import { withDefaults } from '../../../lib/cost/options';
import { sumOf } from '../../../lib/extremes';
import type { PlannedFile, PlannedSlice } from '../../../lib/plan/file/plan';
import {
  areWarmUpsWorthwhile,
  filesOfSlices,
  scheduleSlices,
  withWarmUps,
} from '../../../lib/plan/schedule/schedule';
import { stateTensorLimits } from '../../../lib/plan/schedule/state-tensor-limits';
import { threadCount } from '../../../lib/plan/sizes/estimate';
import { withinSplits } from '../../../lib/split/split';
import { analyzeOptions } from '../../commands/slicing-options';
import { quantityText } from '../figures';
import type { ComparedPlan } from './compared-plan';

export interface Deployment {
  readonly functions: readonly DeployedFunction[];
  readonly uploadFiles: number;
  readonly uploadBytes: number;
  /** Whether the code of the functions is for other processors, or of another version of the library. */
  readonly hasNewCode: boolean;
  /** AWS changes the type of a state machine only by replacing it. */
  readonly stateMachine: 'unchanged' | 'updated' | 'replaced';
  /** Whether runs of A that end later than the deployment may fail: functions or permissions that they need are gone. */
  readonly mayFailRuns: boolean;
}

export interface DeployedFunction {
  /** The id of its construct: `slice-00`, or `whole`. */
  readonly id: string;
  readonly change: 'unchanged' | 'updated' | 'added' | 'removed';
  readonly uploadBytes: number;
  /** `null`: that plan has no such function. */
  readonly a: FunctionSize | null;
  readonly b: FunctionSize | null;
}

interface FunctionSize {
  readonly weightBytes: number;
  readonly memoryMb: number;
}

interface PlannedFunction extends FunctionSize {
  readonly files: readonly PlannedFile[];
  /** As text, what CloudFormation compares besides digests. */
  readonly settings: string;
}

export function deploymentOver(a: ComparedPlan, b: ComparedPlan): Deployment {
  const [before, after] = [functionsOf(a), functionsOf(b)];
  const there = new Set(filesOf(before).map(({ sha256 }) => sha256));
  const added = new Map(
    filesOf(after)
      .filter(({ sha256 }) => !there.has(sha256))
      .map(({ sha256, bytes }) => [sha256, bytes]),
  );
  const isOtherModel = digestedOf(a, before) !== digestedOf(b, after);
  const ids = [...new Set([...before.keys(), ...after.keys()])].sort(byNumber);
  const functions = ids.map((id): DeployedFunction => {
    const [own, next] = [before.get(id), after.get(id)];
    const isUpdated = isOtherModel || own?.settings !== next?.settings;
    return {
      id,
      change: !own ? 'added' : !next ? 'removed' : isUpdated ? 'updated' : 'unchanged',
      uploadBytes: sumOf((next?.files ?? []).map(({ sha256 }) => added.get(sha256) ?? 0)),
      a: sizeOf(own),
      b: sizeOf(next),
    };
  });
  // Slices serve the runs for which there is no whole model. A function with new files may read only those when it starts.
  const isMissed = [...before].some(
    ([id, { files }]) => id !== WHOLE && textOf(files) !== textOf(after.get(id)?.files),
  );
  const [ofA, ofB] = [choicesOf(a), choicesOf(b)];
  const isReplaced = ofA.stateMachineType !== ofB.stateMachineType;
  const isSame = functions.every(({ change }) => change === 'unchanged') && statesOf(a) === statesOf(b);
  return {
    functions,
    uploadFiles: added.size,
    uploadBytes: sumOf([...added.values()]),
    hasNewCode: codeOf(a) !== codeOf(b),
    stateMachine: isReplaced ? 'replaced' : isSame ? 'unchanged' : 'updated',
    mayFailRuns: isReplaced || ofA.transport !== ofB.transport || isMissed,
  };
}

export function uploadText({ uploadFiles, uploadBytes }: Deployment): string {
  if (uploadFiles === 0) return 'no files';
  return `${uploadFiles === 1 ? '1 file' : `${uploadFiles} files`}, ${quantityText('bytes', uploadBytes)}`;
}

type Functions = ReadonlyMap<string, PlannedFunction>;

function filesOf(functions: Functions): PlannedFile[] {
  return [...functions.values()].flatMap(({ files }) => files);
}

function textOf(files: readonly PlannedFile[] = []): string {
  return files.map(({ sha256 }) => sha256).join(' ');
}

function sizeOf(planned: PlannedFunction | undefined): FunctionSize | null {
  return planned ? { weightBytes: planned.weightBytes, memoryMb: planned.memoryMb } : null;
}

function byNumber(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
}

/** By id. */
function functionsOf({ plan, whole, report }: ComparedPlan): Functions {
  const functionOf = (own: PlannedSlice, part = ''): PlannedFunction => {
    const { model, weights, weightBytes, memoryMb, ephemeralStorageMb, timeoutSeconds } = own;
    const { model: source, prepacking = true } = plan;
    const settings = JSON.stringify([
      ...[memoryMb, ephemeralStorageMb, timeoutSeconds, part],
      ...[source.file, prepacking],
    ]);
    return { files: weights ? [model, weights] : [model], weightBytes, memoryMb, settings };
  };
  const { slices } = plan;
  const functions = new Map(
    slices.map((own, slice) => [sliceName(slice), functionOf(own, `of ${slices.length}`)]),
  );
  const memoryMb = report.consolidation?.memoryMb;
  if (whole && memoryMb !== undefined) functions.set(WHOLE, functionOf({ ...whole.slices[0], memoryMb }));
  return functions;
}

function choicesOf({ options }: ComparedPlan) {
  const { costs = {}, transport = 's3-standard' } = analyzeOptions(options);
  return { ...withDefaults(costs), transport };
}

function codeOf(side: ComparedPlan): string {
  const { library, onnxRuntime } = side.plan;
  return [choicesOf(side).architecture, library, onnxRuntime].join(' ');
}

/** What the digest covers that each function has: all files and choices on which a result depends. See `planDeployment` of the construct. */
function digestedOf(side: ComparedPlan, functions: Functions): string {
  const { plan, report } = side;
  const threads = Math.max(plan.threads, threadCount(report.consolidation?.memoryMb ?? 1));
  const files = [...functions].map(([id, own]) => `${id} ${textOf(own.files)}`);
  const computing = [withinSplits(threads, plan.splits), plan.prepacking ?? true].join(' ');
  return [...files, codeOf(side), computing, choicesOf(side).transport].join('\n');
}

/** What the states of a run are besides the functions that they call. */
function statesOf(side: ComparedPlan): string {
  const { plan, options } = side;
  const { stateMachineType, tensorsInState } = choicesOf(side);
  const bytes = filesOfSlices(plan);
  const warmsUp = options.warmUp !== false && areWarmUpsWorthwhile(bytes, stateMachineType === 'express');
  const inOrder = scheduleSlices(plan);
  const schedule = warmsUp ? withWarmUps(inOrder) : inOrder;
  return JSON.stringify([schedule, tensorsInState ? [...stateTensorLimits(plan, schedule)] : []]);
}
