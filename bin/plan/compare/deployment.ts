/**
 * What a deployment of plan B replaces in a stack that has plan A, as the construct makes both with the same id. A test compares it
 * with two synthesized stacks.
 */
import { WHOLE, sliceName } from '../../../contract/keys';
import { withDefaults } from '../../../lib/cost/options';
import { sumOf } from '../../../lib/extremes';
import type { SliceDraft } from '../../../lib/plan/file/plan';
import { areWarmUpsWorthwhile, scheduleSlices, withWarmUps } from '../../../lib/plan/schedule/schedule';
import { stateTensorLimits } from '../../../lib/plan/schedule/state-tensor-limits';
import { threadCount } from '../../../lib/plan/sizes/estimate';
import { withinSplits } from '../../../lib/split/split';
import { analyzeOptions } from '../../commands/slicing-options';
import type { ComparedPlan } from './compared-plan';
import { type SliceFile, isAmong } from './slice-files';

export interface Deployment {
  readonly functions: readonly DeployedFunction[];
  readonly uploadFiles: number;
  readonly uploadBytes: number;
  /** Files of B that the stack has already, because A has files of the same bytes. */
  readonly keptFiles: number;
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
  /** Whether A has the function with other files. */
  readonly hasNewFiles: boolean;
  readonly uploadBytes: number;
  /** `null`: that plan has no such function. */
  readonly a: FunctionSize | null;
  readonly b: FunctionSize | null;
}

interface FunctionSize {
  readonly weightBytes: number;
  readonly memoryMb: number;
}

interface PlannedFunction {
  readonly files: readonly SliceFile[];
  readonly size: FunctionSize;
  /** As text, what CloudFormation compares besides digests. */
  readonly settings: string;
}

export function deploymentOver(a: ComparedPlan, b: ComparedPlan): Deployment {
  const [before, after] = [functionsOf(a), functionsOf(b)];
  const there = [...before.values()].flatMap(({ files }) => files);
  // Slices may share a file. Equal bytes from different places of a model are so rare that they are not looked for.
  const needed = new Map(
    [...after.values()].flatMap(({ files }) => files.map((file) => [file.key ?? file, file])),
  );
  const added = new Set([...needed.values()].filter((file) => !isAmong(file, there)).map(keyOf));
  const bytesOf = (files: Iterable<SliceFile>): number =>
    sumOf([...files].filter((file) => added.has(keyOf(file))).map(({ bytes }) => bytes));
  const hasNewCode = codeOf(a) !== codeOf(b);
  const hasOtherFiles = (id: string): boolean => !isSameList(before.get(id)?.files, after.get(id)?.files);
  const ids = [...new Set([...before.keys(), ...after.keys()])];
  // Each function has a digest of all files and choices on which a result depends.
  const isOtherModel = hasNewCode || ids.some(hasOtherFiles) || digestedOf(a) !== digestedOf(b);
  const functions = ids.sort(byNumber).map((id): DeployedFunction => {
    const [own, next] = [before.get(id), after.get(id)];
    const isUpdated = isOtherModel || own?.settings !== next?.settings;
    return {
      id,
      change: !own ? 'added' : !next ? 'removed' : isUpdated ? 'updated' : 'unchanged',
      hasNewFiles: own !== undefined && next !== undefined && hasOtherFiles(id),
      uploadBytes: bytesOf(next?.files ?? []),
      a: own?.size ?? null,
      b: next?.size ?? null,
    };
  });
  const [ofA, ofB] = [choicesOf(a), choicesOf(b)];
  const isReplaced = ofA.stateMachineType !== ofB.stateMachineType;
  const isSame = functions.every(({ change }) => change === 'unchanged') && statesOf(a) === statesOf(b);
  return {
    functions,
    uploadFiles: added.size,
    uploadBytes: bytesOf(needed.values()),
    keptFiles: needed.size - added.size,
    hasNewCode,
    stateMachine: isReplaced ? 'replaced' : isSame ? 'unchanged' : 'updated',
    mayFailRuns: isReplaced || ofA.transport !== ofB.transport || functions.some(isMissed),
  };
}

/** Slices serve the runs for which there is no whole model. A function with new files may read only those when it starts. */
function isMissed({ id, change, hasNewFiles }: DeployedFunction): boolean {
  return id !== WHOLE && (change === 'removed' || hasNewFiles);
}

function byNumber(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
}

function keyOf(file: SliceFile): SliceFile | string {
  return file.key ?? file;
}

function isSameList(one: readonly SliceFile[] = [], other: readonly SliceFile[] = []): boolean {
  return one.length === other.length && one.every((file, index) => isAmong(file, [other[index]]));
}

/** By id. */
function functionsOf({ plan, files, whole, report }: ComparedPlan): ReadonlyMap<string, PlannedFunction> {
  const functionOf = (own: SliceDraft, ofFunction: readonly SliceFile[], part = ''): PlannedFunction => {
    const { weightBytes, memoryMb, ephemeralStorageMb, timeoutSeconds } = own;
    const settings = JSON.stringify([memoryMb, ephemeralStorageMb, timeoutSeconds, part, plan.model.file]);
    return { files: ofFunction, size: { weightBytes, memoryMb }, settings };
  };
  const { slices } = plan;
  const functions = new Map(
    slices.map((own, slice) => [sliceName(slice), functionOf(own, files[slice], `of ${slices.length}`)]),
  );
  const memoryMb = report?.consolidation?.memoryMb;
  if (whole && memoryMb !== undefined)
    functions.set(WHOLE, functionOf({ ...whole.plan.slices[0], memoryMb }, whole.files[0]));
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

/** What the digest of a deployment covers besides files and code: see `planDeployment` of the construct. */
function digestedOf(side: ComparedPlan): string {
  const { plan, report } = side;
  const threads = Math.max(plan.threads, threadCount(report?.consolidation?.memoryMb ?? 1));
  return `${withinSplits(threads, plan.splits)} ${choicesOf(side).transport}`;
}

/** What the states of a run are besides the functions that they call. */
function statesOf(side: ComparedPlan): string {
  const { plan, options } = side;
  const { stateMachineType, tensorsInState } = choicesOf(side);
  const bytes = plan.slices.map(({ model, weights }) => model.bytes + (weights?.bytes ?? 0));
  const warmsUp = options.warmUp !== false && areWarmUpsWorthwhile(bytes, stateMachineType === 'express');
  const inOrder = scheduleSlices(plan);
  const schedule = warmsUp ? withWarmUps(inOrder) : inOrder;
  return JSON.stringify([schedule, tensorsInState ? [...stateTensorLimits(plan, schedule)] : []]);
}
