/**
 * What a deployment of plan B replaces in a stack that has plan A, as the construct makes both with the same ids. A test compares this with
 * two synthesized stacks.
 */
import { WHOLE, sliceName } from '../../../contract/keys';
import { withDefaults } from '../../../lib/cost/options';
import { largestOf, sumOf } from '../../../lib/extremes';
import type { SliceDraft } from '../../../lib/plan/file/plan';
import { areWarmUpsWorthwhile, scheduleSlices, withWarmUps } from '../../../lib/plan/schedule/schedule';
import { stateTensorLimits } from '../../../lib/plan/schedule/state-tensor-limits';
import { threadCount } from '../../../lib/plan/sizes/estimate';
import { withinSplits } from '../../../lib/split/split';
import { analyzeOptions } from '../../commands/slicing-options';
import type { ComparedPlan } from './compared-plan';
import { type SliceFile, haveSameBytes, isAmong } from './slice-files';

export interface Deployment {
  /** The functions of the slices and of the whole model, of A or of B. */
  readonly functions: readonly DeployedFunction[];
  readonly uploadFiles: number;
  readonly uploadBytes: number;
  /** Files of B that are there already, because A has files of the same bytes. */
  readonly keptFiles: number;
  /** Whether the functions get other code: for other processors, or of another version of the library. */
  readonly hasNewCode: boolean;
  /** AWS changes the type of a state machine only by replacing it. */
  readonly stateMachine: 'unchanged' | 'updated' | 'replaced';
  /** Whether runs that are in progress when the deployment ends may fail: functions or permissions of A are gone then. */
  readonly mayFailRuns: boolean;
}

export interface DeployedFunction {
  /** Its construct's id: `slice-00`, or `whole`. */
  readonly id: string;
  readonly change: 'unchanged' | 'updated' | 'added' | 'removed';
  /** Whether it loads other files than before. */
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
  readonly id: string;
  readonly files: readonly SliceFile[];
  readonly size: FunctionSize;
  /** As text: memory, `/tmp`, timeout, description. */
  readonly settings: string;
}

export function deploymentOver(a: ComparedPlan, b: ComparedPlan): Deployment {
  const [before, after] = [functionsOf(a), functionsOf(b)];
  const there = before.flatMap(({ files }) => files);
  const isThere = new Map(after.flatMap(({ files }) => files.map((file) => [file, isAmong(file, there)])));
  // Slices may share a file. Equal bytes from different places of a model are so rare that they are not looked for.
  const distinct = [...new Map([...isThere.keys()].map((file) => [file.key ?? file, file])).values()];
  const added = distinct.flatMap((file) => (isThere.get(file) === true ? [] : [file.bytes]));
  const hasNewCode = codeOf(a) !== codeOf(b);
  const changed = new Set(after.filter((fn) => !hasFilesOf(before, fn)).map(({ id }) => id));
  // Every function has the digest of all files and choices that a result depends on.
  const isOtherModel =
    hasNewCode || changed.size > 0 || before.length !== after.length || digestedOf(a) !== digestedOf(b);
  const functions = idsOf(before, after).map((id): DeployedFunction => {
    const [own, next] = [before, after].map((list) => list.find((fn) => fn.id === id));
    const uploads = (next?.files ?? []).filter((file) => isThere.get(file) === false);
    const isUpdated = isOtherModel || own?.settings !== next?.settings;
    return {
      id,
      change: !own ? 'added' : !next ? 'removed' : isUpdated ? 'updated' : 'unchanged',
      hasNewFiles: changed.has(id),
      uploadBytes: sumOf(uploads.map(({ bytes }) => bytes)),
      a: own?.size ?? null,
      b: next?.size ?? null,
    };
  });
  const isSame = functions.every(({ change }) => change === 'unchanged') && statesOf(a) === statesOf(b);
  const isReplaced = choicesOf(a).stateMachineType !== choicesOf(b).stateMachineType;
  const isOtherStore = choicesOf(a).transport !== choicesOf(b).transport;
  return {
    functions,
    ...{ uploadFiles: added.length, uploadBytes: sumOf(added), keptFiles: distinct.length - added.length },
    hasNewCode,
    stateMachine: isReplaced ? 'replaced' : isSame ? 'unchanged' : 'updated',
    mayFailRuns: isReplaced || isOtherStore || functions.some(isNeededByRuns),
  };
}

/** The slices serve runs that the whole model does not. A function with new files may no longer read those of A. */
function isNeededByRuns({ id, change, hasNewFiles }: DeployedFunction): boolean {
  return id !== WHOLE && (change === 'removed' || hasNewFiles);
}

function functionsOf({ plan, files, whole, report }: ComparedPlan): PlannedFunction[] {
  const { slices, model } = plan;
  const slicesOf = slices.map((own, slice) =>
    functionOf(sliceName(slice), own, files[slice], `${slice} of ${slices.length} of ${model.file}`),
  );
  if (!whole) return slicesOf;
  const [own] = whole.plan.slices;
  const memoryMb = report?.consolidation?.memoryMb ?? own.memoryMb;
  return [...slicesOf, functionOf(WHOLE, { ...own, memoryMb }, whole.files[0], model.file)];
}

function functionOf(
  id: string,
  { memoryMb, weightBytes, ephemeralStorageMb, timeoutSeconds }: SliceDraft,
  files: readonly SliceFile[],
  description: string,
): PlannedFunction {
  const settings = JSON.stringify([memoryMb, ephemeralStorageMb, timeoutSeconds, description]);
  return { id, files, size: { weightBytes, memoryMb }, settings };
}

function idsOf(before: readonly PlannedFunction[], after: readonly PlannedFunction[]): string[] {
  const ids = [...new Set([...before, ...after].map(({ id }) => id))];
  return [...ids.filter((id) => id !== WHOLE).sort(), ...ids.filter((id) => id === WHOLE)];
}

function hasFilesOf(before: readonly PlannedFunction[], { id, files }: PlannedFunction): boolean {
  const own = before.find((fn) => fn.id === id);
  if (own?.files.length !== files.length) return own === undefined;
  return files.every((file, index) => haveSameBytes(file, own.files[index]));
}

function choicesOf({ options }: ComparedPlan) {
  return {
    ...withDefaults(analyzeOptions(options).costs ?? {}),
    transport: options.tensorStore ?? 's3-standard',
  };
}

function codeOf(side: ComparedPlan): string {
  const { library, onnxRuntime } = side.plan;
  return JSON.stringify([choicesOf(side).architecture, library, onnxRuntime]);
}

/** What the digest of a deployment covers besides files and code, see `planDeployment` of the construct. */
function digestedOf(side: ComparedPlan): string {
  const { plan, report } = side;
  const vcpus = largestOf([plan.threads, threadCount(report?.consolidation?.memoryMb ?? 1)]);
  return JSON.stringify([withinSplits(vcpus, plan.splits), choicesOf(side).transport]);
}

/** What the states of a run are, besides the functions that they call. */
function statesOf(side: ComparedPlan): string {
  const { plan, options } = side;
  const { stateMachineType, tensorsInState } = choicesOf(side);
  const bytes = plan.slices.map(({ model, weights }) => model.bytes + (weights?.bytes ?? 0));
  const warmsUp = options.warmUp !== false && areWarmUpsWorthwhile(bytes, stateMachineType === 'express');
  const inOrder = scheduleSlices(plan);
  const schedule = warmsUp ? withWarmUps(inOrder) : inOrder;
  const inState = tensorsInState ? [...stateTensorLimits(plan, schedule)] : [];
  return JSON.stringify([schedule, inState]);
}
