/** `sliced-inference inspect MODEL`: shows a model's size, inputs, outputs and possible cuts. */
import { Command } from 'commander';
import type { Dimension } from '../../contract/tensors';
import { type AnalyzedModel, analyzeModel } from '../../lib/compile/analyze';
import { escaped } from '../../lib/errors';
import { largestOf } from '../../lib/extremes';
import { weightBytesOf } from '../../lib/dataflow/weights';
import { type CutSpace, nodesToShareOut } from '../../lib/plan/cuts/cuts';
import { tablesOf } from '../../lib/plan/sizes/slice-tables';
import { mostParts, waysToSplit } from '../../lib/split/splittable';
import type { Model } from '../../lib/onnx/model';
import type { Splitting } from '../../lib/compile/splitting';
import { formatBytes, formatType } from '../terminal/format';
import { laidOut } from '../terminal/help';
import { print, printJson } from '../terminal/print';
import { clearProgress, showProgress } from '../terminal/progress';
import { type ModelOptions, addModelOptions, analyzeOptions } from './slicing-options';

interface Inspection {
  /** Bytes of the model with its external data. */
  readonly bytes: number;
  readonly nodes: number;
  /** Nodes that slices share out. The others are constant, so that each slice has those that it needs, or unused. */
  readonly nodesToShareOut: number;
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly InspectedValue[];
  readonly outputs: readonly InspectedValue[];
  /** Symbolic dimensions of the inputs, with the sizes for which the model is planned. */
  readonly dimensions: readonly {
    readonly name: string;
    readonly size: number;
    /** Whether no `--dimension` sets it. */
    readonly assumed: boolean;
  }[];
  /** Values whose sizes depend on data, so that plans count estimates of them. */
  readonly boundedTensors: readonly string[];
  /** Why ONNX Runtime does not load the model with these sizes; absent if it does. */
  readonly refusal?: string;
  readonly possibleCuts: number;
  /** Tensors that cross a cut alone, in graph order: good choices for `--at-tensors`. */
  readonly singleTensorCuts: readonly string[];
  /** Values between nodes that cannot cross a cut. */
  readonly cannotCross: readonly InspectedValue[];
  /** The operators with the largest weights, and into how many parts each can be split, or why not. */
  readonly largest: readonly LargeOperator[];
}

interface LargeOperator {
  /** The node's name, or that of its output. */
  readonly name: string;
  readonly operator: string;
  readonly weightBytes: number;
  /** With one thread in each function, and in the same bits; absent if it cannot be split. */
  readonly mostParts?: number;
  readonly reason?: string;
}

interface InspectedValue {
  readonly name: string;
  readonly dtype: string | null;
  readonly shape: readonly Dimension[] | null;
}

/** Names that the text output shows of each list; `--json` shows all. */
const NAMED_VALUES = 5;

const HELP = `
Examples:
  $ sliced-inference inspect model.onnx
  $ sliced-inference inspect model.onnx --json`;

export function inspectCommand(): Command {
  const command = new Command('inspect')
    .description('show a model: its size, inputs, outputs and cuts')
    .argument('<model>', 'path of an ONNX model')
    .addHelpText('after', laidOut(HELP));
  addModelOptions(command).optionsGroup('Output:').option('--json', 'print JSON');
  return command.action((model: string, options: ModelOptions & { json?: boolean }) => {
    showProgress(`reading ${model}`);
    const inspection = inspect(analyzeModel(model, { ...analyzeOptions(options), inputs: false }));
    clearProgress();
    if (options.json) printJson(inspection);
    else print(describe(model, inspection));
  });
}

function inspect(analyzed: AnalyzedModel): Inspection {
  const { model, sourceOpsets, types, planned, splitting } = analyzed;
  const cuts = analyzed.cuts.withoutRepeats ?? analyzed.cuts;
  const { graph } = model;
  const describeValue = (value: number): InspectedValue => ({
    name: graph.values[value].name,
    dtype: types[value].dtype ?? null,
    shape: types[value].shape,
  });
  const crossing = graph.values
    .map((_, value) => value)
    .filter((value) => cuts.lastUsedAt[value] > cuts.producedAt[value]);
  const inner = crossing.filter((value) => cuts.producedAt[value] >= 0);
  return {
    bytes: model.files.reduce((sum, { size }) => sum + size, 0),
    nodes: graph.nodes.length,
    nodesToShareOut: nodesToShareOut(cuts),
    opsets: Object.fromEntries(sourceOpsets.map(({ domain, version }) => [domain || 'ai.onnx', version])),
    inputs: graph.inputs
      .filter(({ value }) => graph.values[value].initializer === undefined)
      .map(({ value }) => describeValue(value)),
    outputs: graph.outputs.map(({ value }) => describeValue(value)),
    dimensions: Object.entries(planned.dimensions).map(([name, size]) => ({
      name,
      size,
      assumed: planned.assumed.includes(name),
    })),
    ...(planned.refusal !== undefined && { refusal: planned.refusal }),
    boundedTensors: planned.bounded.map((value) => graph.values[value].name),
    possibleCuts: cuts.legal.length,
    singleTensorCuts: singleCrossings(cuts, inner).map((value) => graph.values[value].name),
    cannotCross: inner.filter((value) => cuts.rule(value) !== undefined).map(describeValue),
    largest: largestOperators(model, splitting, cuts),
  };
}

/** Of operators with smaller weights, nobody asks for parts. */
const LARGE_BYTES = 2 ** 20;

function largestOperators(
  { graph: { nodes, values } }: Model,
  { subject }: Splitting,
  cuts: CutSpace,
): LargeOperator[] {
  const { weights } = tablesOf(cuts);
  const large = nodes.flatMap((node) => {
    const weightBytes = weightBytesOf(weights, node.index);
    return weightBytes < LARGE_BYTES ? [] : [{ node, weightBytes }];
  });
  large.sort((a, b) => b.weightBytes - a.weightBytes);
  return large.map(({ node, weightBytes }) => {
    const name = node.name === '' ? values[node.outputs[0]].name : node.name;
    return { name, operator: node.opType, weightBytes, ...partsOf(waysToSplit(subject, node)) };
  });
}

function singleCrossings(cuts: AnalyzedModel['cuts'], inner: readonly number[]): number[] {
  const places = cuts.crossingBytes.length;
  const starts = Array.from({ length: places + 1 }, (): number[] => []);
  const ends = Array.from({ length: places + 1 }, (): number[] => []);
  for (const value of inner) {
    starts[cuts.producedAt[value] + 1].push(value);
    ends[cuts.lastUsedAt[value] + 1].push(value);
  }
  const legal = new Set(cuts.legal);
  const live = new Set<number>();
  const single = new Set<number>();
  for (let cut = 0; cut < places; cut++) {
    for (const value of ends[cut]) live.delete(value);
    for (const value of starts[cut]) live.add(value);
    if (live.size === 1 && legal.has(cut)) for (const value of live) single.add(value);
  }
  return [...single];
}

function describe(path: string, found: Inspection): string {
  const opsets = Object.entries(found.opsets).map(([domain, version]) => `${domain} ${version}`);
  const values = (list: readonly InspectedValue[]): string[] =>
    list.map(
      ({ name, dtype, shape }) => `  ${name}  ${formatType({ ...(dtype !== null && { dtype }), shape })}`,
    );
  const { possibleCuts, singleTensorCuts, cannotCross, boundedTensors, refusal } = found;
  return [
    path,
    `size        ${formatBytes(found.bytes)}`,
    `nodes       ${nodeCounts(found)}`,
    `opsets      ${opsets.join(', ')}`,
    `dimensions${found.dimensions.length === 0 ? '  all fixed' : ''}`,
    ...found.dimensions.map(
      ({ name, size, assumed }) =>
        `  ${name}  ${size}${assumed ? `, assumed; set it with --dimension '${name}=${size}'` : ''}`,
    ),
    `inputs${found.inputs.length === 0 ? '      none' : ''}`,
    ...values(found.inputs),
    'outputs',
    ...values(found.outputs),
    `cuts        ${possibleCuts} possible, so at most ${possibleCuts === 0 ? '1 slice' : `${possibleCuts + 1} slices`}`,
    `  tensors that cross a cut alone: ${firstOf(singleTensorCuts).join(', ') || 'none'}`,
    ...(refusal === undefined ? [] : [`ONNX Runtime refuses the model with these sizes: ${refusal}`]),
    ...(boundedTensors.length === 0
      ? []
      : [`sizes that depend on data: ${firstOf(boundedTensors).join(', ')}`]),
    ...(found.largest.length === 0 ? [] : ['largest operators']),
    ...firstOf(found.largest.map(describeOperator)),
    cannotCross.length === 0 ? 'every value between nodes can cross a cut' : 'cannot cross a cut',
    ...firstOf(values(cannotCross)),
    '',
  ]
    .map(escaped)
    .join('\n');
}

function nodeCounts({ nodes, nodesToShareOut: divided }: Inspection): string {
  if (nodes === divided) return `${nodes}, all to divide among slices`;
  return `${nodes}: ${divided} to divide among slices, ${nodes - divided} constant or unused`;
}

function partsOf(ways: ReturnType<typeof waysToSplit>): Pick<LargeOperator, 'mostParts' | 'reason'> {
  if (typeof ways === 'string') return { reason: ways };
  const most = largestOf(ways.map((way) => mostParts(way, 1)));
  const [{ length, axis }] = ways;
  if (most > 1) return { mostParts: most };
  return { reason: `has ${length} ${axis}, too few for two parts with the same bits` };
}

function describeOperator({ name, operator, weightBytes, ...own }: LargeOperator): string {
  const { mostParts: most = 1, reason = 'cannot be split' } = own;
  const parts = most > 1 ? `can run in up to ${most} parts` : reason;
  return `  ${name}  ${operator}, ${formatBytes(weightBytes)}, ${parts}`;
}

function firstOf(list: readonly string[]): string[] {
  const others = list.length - NAMED_VALUES;
  return others > 0 ? [...list.slice(0, NAMED_VALUES), `and ${others} more`] : [...list];
}
