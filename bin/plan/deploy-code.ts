/** The code of a CDK app in TypeScript that deploys what a plan recommends. */
import { splitNames } from '../commands/slicing-options';
import { SLICE_WITH_INPUTS } from '../../lib/plan/notes';
import { key, listed, literal } from '../terminal/literals';
import type { PlanReport } from './plan-report';
import type { PlanOptions } from './report/assemble-report';

/** @param options of `plan`: those that change what is deployed become props */
export function deployLines(modelPath: string, report: PlanReport, options: PlanOptions): string[] {
  const { architecture, optimize, prepacking } = options;
  const sizes = report.model.dimensions.map(({ name, size }) => `${key(name)}: ${size}`);
  const isFunction = report.choice === 'one-function';
  const props = [
    `modelPath: ${text(modelPath)},`,
    ...(sizes.length === 0 ? [] : listed('dimensions: { ', sizes, ' },')),
    ...(architecture === 'arm64' ? ['architecture: Architecture.ARM_64,'] : []),
    ...chosen('graphOptimization', 'GraphOptimization', optimize, 'none'),
    ...chosen('prepacking', 'Prepacking', prepacking, 'automatic'),
    ...(isFunction ? functionProps(report) : pipelineProps(options)),
  ];
  const construct = isFunction ? 'InferenceFunction' : 'SlicedInferencePipeline';
  return [
    ...(options.inputs === undefined ? [] : [`// The sizes are those of --inputs: ${SLICE_WITH_INPUTS}.`]),
    ...(isFunction && namesCuts(options) ? [OTHER_CONSTRUCT] : []),
    ...[`new ${construct}(this, 'Model', {`, ...props.map((prop) => `  ${prop}`), '});'],
  ];
}

function namesCuts({ slices, maxSliceSize, atTensors, slicingPlan }: PlanOptions): boolean {
  return [slices, maxSliceSize, atTensors, slicingPlan].some((flag) => flag !== undefined);
}

const OTHER_CONSTRUCT = '// The whole model: a SlicedInferencePipeline has the cuts of your flags.';

/** The size that was compared, whatever flags it depends on. */
function functionProps({ alternatives }: PlanReport): string[] {
  const { memoryMb } = alternatives.find(({ id }) => id === 'one-function') ?? {};
  return memoryMb === undefined ? [] : [`memorySize: ${memoryMb},`];
}

function pipelineProps(options: PlanOptions): string[] {
  const { stateMachine, warmUp, consolidation, tensorStore } = options;
  return [
    ...slicingLines(options),
    ...chosen('stateMachineType', 'StateMachineType', stateMachine, 'express'),
    ...(warmUp === false ? ['warmUp: WarmUp.NEVER,'] : []),
    ...chosen('consolidation', 'Consolidation', consolidation, 'automatic'),
    ...(tensorStore === 's3-express' ? ["tensorStore: TensorStore.s3ExpressOneZone('your zone'),"] : []),
  ];
}

function slicingLines(options: PlanOptions): string[] {
  const { slices, maxSliceSize, atTensors, slicingPlan } = options;
  const estimates = estimatesOf(options);
  const named = (method: string, argument: string): string[] =>
    estimates.length === 0
      ? [`slicing: Slicing.${method}(${argument}),`]
      : listed(`slicing: Slicing.${method}(${argument}, { `, estimates, ' }),');
  if (slices !== undefined) return named('count', String(slices));
  if (maxSliceSize !== undefined) return named('maxSliceSize', `Size.bytes(${maxSliceSize})`);
  if (atTensors !== undefined) return named('atTensors', `[${splitNames(atTensors).map(text).join(', ')}]`);
  if (slicingPlan !== undefined) return named('fromPlan', text(slicingPlan));
  const search = [...searchOf(options), ...estimates];
  return search.length === 0 ? [] : listed('slicing: Slicing.automatic({ ', search, ' }),');
}

function searchOf(options: PlanOptions): string[] {
  const { minimize, maxLatency, latencyPercentile, maxCostPerMillion, maxMemory, temperature } = options;
  return [
    ...entry('minimize', minimize && `Minimize.${minimize.toUpperCase()}`),
    ...entry('maxLatency', maxLatency && `Duration.millis(${maxLatency})`),
    ...entry(
      'latencyPercentile',
      latencyPercentile && `LatencyPercentile.${latencyPercentile.toUpperCase()}`,
    ),
    ...entry('maxCostPerMillion', maxCostPerMillion),
    ...entry('maxMemorySize', maxMemory),
    ...entry('temperature', temperature && `Temperature.${temperature.toUpperCase()}`),
  ];
}

function estimatesOf({ split = {}, splitLargeOperators, ...options }: PlanOptions): string[] {
  const splits = Object.entries(split).map(([name, parts]) => `${key(name)}: ${parts}`);
  const file = (name: 'prices' | 'environment') =>
    entry(name, options[name] === undefined ? undefined : text(options[name]));
  return [
    ...entry('requestsPerHour', options.requestsPerHour),
    ...[...file('prices'), ...file('environment')],
    ...(splits.length === 0 ? [] : [`splits: { ${splits.join(', ')} }`]),
    ...(splitLargeOperators === false ? ['splitLargeOperators: false'] : []),
  ];
}

function entry(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [`${name}: ${value}`];
}

/** A prop with a member of an enum, such as `Prepacking.NEVER`, if it is not the default. */
function chosen(prop: string, type: string, value: string | undefined, byDefault: string): string[] {
  return value === undefined || value === byDefault ? [] : [`${prop}: ${type}.${value.toUpperCase()},`];
}

function text(value: string): string {
  return literal(value, "'");
}
