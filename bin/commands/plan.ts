/** `sliced-inference plan MODEL`: shows how a model would be sliced, without writing the slices. */
import { Command, Option } from 'commander';
import { analyzeModel } from '../../lib/compile/analyze';
import { cutModel } from '../../lib/compile/fit-by-splits';
import { CONSOLIDATIONS } from '../../lib/plan/pricing/price';
import { SlicedInferenceError } from '../../lib/errors';
import { MAX_CHILDREN, MAX_ITEMS_PER_RUN, MAX_MAP_ITEMS } from '../../lib/cost/batch-limits';
import { comparedPlan, isPlanFile } from '../plan/compare/compared-plan';
import { compared } from '../plan/compare/comparison';
import { describeComparison } from '../plan/compare/describe-comparison';
import { describeReport, textColumns } from '../plan/describe-report';
import { type PlanOptions, plannedModel } from '../plan/report/assemble-report';
import { deployLines } from '../plan/deploy-code';
import { checkPlace } from '../outputs/named-file';
import { PAGE_FLAG, writePage } from '../plan/write-page';
import { laidOut } from '../terminal/help';
import { clearProgress, showProgress } from '../terminal/progress';
import { inputsOption, choice, wholeNumber } from './search-options';
import { addSlicingOptions, analyzeOptions, flagOf, slicerFor, slicingFlags } from './slicing-options';
import { print, printJson } from '../terminal/print';

const HELP = `
Takes the slicing flags of slice, and writes no slices. It prints the verdict, the slices, the price and the time. --report
writes one HTML page, which needs no network; an earlier file of this name is replaced. Every number in the page is also in --json.

--compare plans a second model with the same flags, and prints both side by side. Either one may be a plan.json, which has its
own cuts, sizes and optimization.

Examples:
  $ sliced-inference plan model.onnx --slices 4 --dimension sequence=128
  $ sliced-inference plan model.onnx --max-memory 1024 --report report.html
  $ sliced-inference plan model.onnx --batch 1000000 --concurrency 500
  $ sliced-inference plan slices/plan.json --compare model.onnx --slices 6`;

export function planCommand(): Command {
  const command = new Command('plan')
    .description('show the slices of a model, their price and time')
    .argument('<model>', 'path of an ONNX model; with --compare also of a plan.json')
    .addHelpText('after', laidOut(HELP));
  addBatchOptions(addPlanOptions(command))
    .optionsGroup('Comparison:')
    .addOption(
      new Option(
        '--compare <model>',
        'compare with the plan of this ONNX model, or with this plan.json',
      ).conflicts(['report', 'batch']),
    )
    .optionsGroup('Output:')
    .option('--report <file>', 'also write the plan as one HTML page')
    .option('--json', 'print JSON');
  return command.action(async (path: string, options: PlanOptions) => {
    checkBatchFlags(command, options);
    if (options.compare === undefined) await printPlan(path, options);
    else printComparison(command, path, options.compare, options);
  });
}

async function printPlan(path: string, options: PlanOptions): Promise<void> {
  const { report: page } = options;
  const slicer = slicerFor(options);
  if (page !== undefined) checkPlace(page, PAGE_FLAG);
  showProgress(`reading ${path}`);
  const read = analyzeModel(path, analyzeOptions(options));
  showProgress(`planning ${path}`);
  const { analyzed, cut } = cutModel(read, slicer, options.consolidation);
  const { report } = plannedModel(analyzed, cut, slicer, options);
  if (page !== undefined) await writePage(page, report);
  clearProgress();
  if (options.json) {
    printJson(report);
    return;
  }
  const deploy = deployLines(path, report, options);
  print(describeReport(report, process.stdout.columns, { page, deploy }));
}

const FLAGS_OF_MODELS = ['--dimension', '--optimize', '--split', '--no-split-large-operators'];

/** Plans both, compares them, and prints the differences. */
function printComparison(command: Command, a: string, b: string, options: PlanOptions): void {
  const isGiven = (flag: Option): boolean => command.getOptionValueSource(flag.attributeName()) === 'cli';
  const given = command.options.filter(isGiven).map(({ long }) => long);
  const decisions = [...slicingFlags(options), ...FLAGS_OF_MODELS.filter((flag) => given.includes(flag))];
  const decided = isPlanFile(a) && isPlanFile(b) ? decisions.at(0) : undefined;
  if (decided !== undefined)
    throw new SlicedInferenceError(
      'plan files have their own cuts, sizes and optimization',
      decided,
      'leave it out, or pass a model',
    );
  const comparison = compared(comparedPlan(a, options), comparedPlan(b, options));
  clearProgress();
  if (options.json) printJson(comparison);
  else print(describeComparison(comparison, textColumns(process.stdout.columns)));
}

function checkBatchFlags(command: Command, { batch }: PlanOptions): void {
  const flag = ['itemsPerRun', 'concurrency', 'requests'].find(
    (name) => command.getOptionValueSource(name) === 'cli',
  );
  if (flag === undefined || batch !== undefined) return;
  throw new SlicedInferenceError(`${flagOf(flag)} must be beside --batch`, 'none', 'add --batch 1000');
}

function addPlanOptions(command: Command): Command {
  addSlicingOptions(command)
    .addOption(inputsOption())
    .addOption(
      choice(
        '--consolidation <mode>',
        'plan for a pipeline with one function that also has the whole model',
        CONSOLIDATIONS,
      ).default('automatic'),
    );
  return command;
}

function addBatchOptions(command: Command): Command {
  return command
    .optionsGroup('Batch:')
    .option(
      '--batch <n>',
      'also plan a batch of so many items: time, price, quotas',
      wholeNumber(1, MAX_MAP_ITEMS),
    )
    .option(
      '--items-per-run <n>',
      'with --batch: the most items of a child (default: as the construct plans it)',
      wholeNumber(1, MAX_ITEMS_PER_RUN),
    )
    .addOption(
      choice('--requests <place>', 'with --batch: requests are objects, or in the lines of the list', [
        'objects',
        'lines',
      ]).default('objects'),
    )
    .option(
      '--concurrency <n>',
      'with --batch: the most children at once',
      wholeNumber(1, MAX_CHILDREN),
      100,
    );
}
