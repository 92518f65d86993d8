/** The flags that decide how a model is cut, the same for every command. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { oneLine, quoted, SlicedInferenceError } from '../../lib/errors';
import { type Slicer, atTensors, count, fromPlan, maxSliceSize } from '../../lib/plan/slicers';
import { readPlan } from '../../lib/compile/files/read-plan';
import type { AnalyzeOptions } from '../../lib/compile/analyze';
import { type OptimizationLevel, OPTIMIZATION_LEVELS } from '../../lib/optimize/level';
import type { DimensionSizes } from '../../lib/shapes/value-types';
import * as search from './search-options';
import { quotedForShell } from '../terminal/literals';
import { size } from './quantities';

export interface SlicingOptions
  extends ModelOptions, search.SearchOptions, search.EstimateOptions, SplitFlags {
  readonly slices?: number;
  readonly maxSliceSize?: number;
  readonly atTensors?: readonly string[];
  readonly slicingPlan?: string;
}

interface SplitFlags {
  readonly split?: Readonly<Record<string, number>>;
  readonly splitLargeOperators?: boolean;
}

/** Mutually exclusive flags. Without one of them, the search chooses the slices. */
const SLICING_CHOICES = ['slices', 'maxSliceSize', 'atTensors', 'slicingPlan'] as const;

const AT_TENSORS = '--at-tensors';

/** A flag that is added afterwards is in the last group, that of the pipeline, unless the caller begins another one. */
export function addSlicingOptions(command: Command): Command {
  return search.addEstimateOptions(addModelOptions(search.addSearchOptions(addCuts(command))));
}

/** For a command that compares bits, which no price and no time changes. */
export function addCutOptions(command: Command): Command {
  return search.addFunctionOptions(addModelOptions(addCuts(command)).optionsGroup('Functions:'));
}

function addCuts(command: Command): Command {
  return command
    .optionsGroup('Cuts:')
    .option('--slices <n>', 'cut into this many slices', search.wholeNumber(1))
    .option(
      '--max-slice-size <size>',
      'cut into the fewest slices with at most this size of weights, such as 64MB (MB = 2^20 bytes)',
      size,
    )
    .option(
      `${AT_TENSORS} <names...>`,
      'cut after each of these tensors (a,b or several arguments); put the model before this flag',
    )
    .addOption(
      new Option(
        '--split <name=parts>',
        'run this node, or the node with this weight, in parts (1: never); repeatable',
      )
        .argParser(namedNumber('a name and a number of parts such as embeddings=4', 'parts'))
        .default({}, 'none'),
    )
    .option('--no-split-large-operators', 'split no operator because a slice with it is too large')
    .option('--slicing-plan <file>', 'reuse the cuts of an earlier plan.json of the same graph')
    .addOption(search.memoryOption());
}

/** Options of every command that reads a model. */
export interface ModelOptions {
  readonly dimension: DimensionSizes;
  readonly optimize: OptimizationLevel;
}

export function dimensionOption(): Option {
  const description = 'size of a symbolic dimension of the inputs in your requests; repeatable';
  return new Option('--dimension <name=size>', description)
    .argParser(namedNumber('a name and a size such as batch=1', 'a size'))
    .default({}, 'typical sizes, which inspect prints');
}

export function addModelOptions(command: Command): Command {
  return command
    .optionsGroup('Model:')
    .addOption(dimensionOption())
    .addOption(
      search
        .choice(
          '--optimize <level>',
          'how far ONNX Runtime optimizes the model before it is cut; the slices give the same bits as the whole model at this level',
          OPTIMIZATION_LEVELS,
        )
        .default('none'),
    );
}

/** @param options of a command; one that plans no slices has no options of estimates */
export function analyzeOptions(options: ModelOptions & search.EstimateOptions & SplitFlags): AnalyzeOptions {
  const {
    dimension: dimensions,
    optimize: optimization,
    split: named,
    splitLargeOperators: others,
  } = options;
  return { dimensions, optimization, splits: { named, others }, ...search.estimateOptions(options) };
}

/** Those of the given options that say where to cut, as flags. */
export function slicingFlags(options: SlicingOptions): string[] {
  return [...SLICING_CHOICES, ...search.SEARCH_FLAGS]
    .filter((flag) => options[flag] !== undefined)
    .map(flagOf);
}

export function slicerFor(options: SlicingOptions): Slicer {
  const given = slicingFlags(options);
  if (given.length > 1 && SLICING_CHOICES.some((choice) => options[choice] !== undefined))
    throw new SlicedInferenceError('slicing flags exclude one another', given.join(' and '), 'keep one');
  if (options.slices !== undefined) return count(options.slices);
  if (options.maxSliceSize !== undefined) return maxSliceSize(options.maxSliceSize);
  if (options.atTensors !== undefined) return atTensors(splitNames(options.atTensors));
  if (options.slicingPlan !== undefined) return fromPlan(readPlan(options.slicingPlan), options.slicingPlan);
  return search.searchFor(options);
}

/** `--max-slice-size` for `maxSliceSize`. */
export function flagOf(option: string): string {
  return `--${option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Explains why the model is missing: `init` takes it as a folder, and one after this flag is a tensor. */
export function missingModelHint(error: string, args: readonly string[]): string {
  const model = args.find((arg) => /\.onnx$/i.test(arg));
  if (model !== undefined && error.includes("required option '--model"))
    return `: the argument is the folder of the app; pass the model as --model ${quotedForShell(oneLine(model))}`;
  const isSwallowed = error.includes("missing required argument 'model'") && args.includes(AT_TENSORS);
  return isSwallowed ? `: put it before ${AT_TENSORS}, which takes all arguments after it` : '';
}

/** Of `--at-tensors a,b c`. */
export function splitNames(lists: readonly string[]): string[] {
  const names = lists.flatMap((list) => list.split(',')).map((name) => name.trim());
  return names.filter((name) => name !== '');
}

type Sizes = Readonly<Record<string, number>>;

/** The parser of a repeatable flag with a name and a number. @param has what a name has already if it is passed twice */
function namedNumber(form: string, has: string): (text: string, previous: Sizes) => Sizes {
  return (text, previous) => {
    const found = /^(.+)=(\d+)$/.exec(text);
    if (found === null) throw new InvalidArgumentError(`It must be ${form}.`);
    const [, name, number] = found;
    if (Object.hasOwn(previous, name))
      throw new InvalidArgumentError(`${quoted(name)} has ${has} already: pass each name once.`);
    return { ...previous, [name]: Number(number) };
  };
}
