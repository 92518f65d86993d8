/** `sliced-inference plan MODEL`: shows how a model would be sliced, without writing the slices. */
import { Command } from 'commander';
import { analyzeModel } from '../../lib/compile/analyze';
import { cutModel } from '../../lib/compile/fit-by-splits';
import { CONSOLIDATIONS } from '../../lib/plan/pricing/price';
import { SlicedInferenceError } from '../../lib/errors';
import { MAX_CHILDREN, MAX_ITEMS_PER_RUN, MAX_MAP_ITEMS } from '../../lib/cost/batch-limits';
import { describeReport } from '../plan/describe-report';
import { type PlanOptions, reportOf } from '../plan/report/assemble-report';
import { checkPlace } from '../outputs/named-file';
import { PAGE_FLAG, writePage } from '../plan/write-page';
import { laidOut } from '../terminal/help';
import { clearProgress, showProgress } from '../terminal/progress';
import { inputsOption, choice, wholeNumber } from './search-options';
import { addSlicingOptions, analyzeOptions, flagOf, slicerFor } from './slicing-options';
import { print, printJson } from '../terminal/print';

const HELP = `
Takes the slicing flags of slice, and writes no slices. It prints the verdict, the slices, the price and the time. --report
writes one HTML page, which needs no network; an earlier file of this name is replaced. Every number in the page is also in --json.

Examples:
  $ sliced-inference plan model.onnx --slices 4 --dimension sequence=128
  $ sliced-inference plan model.onnx --max-memory 1024 --report report.html
  $ sliced-inference plan model.onnx --batch 1000000 --concurrency 500`;

export function planCommand(): Command {
  const command = new Command('plan')
    .description('show the slices of a model, their price and time')
    .argument('<model>', 'path of an ONNX model')
    .addHelpText('after', laidOut(HELP));
  addBatchOptions(addPlanOptions(command))
    .optionsGroup('Output:')
    .option('--report <file>', 'also write the plan as one HTML page')
    .option('--json', 'print JSON');
  return command.action(async (path: string, options: PlanOptions) => {
    checkBatchFlags(command, options);
    await printPlan(path, options);
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
  const report = reportOf(analyzed, cut, slicer, options);
  if (page !== undefined) await writePage(page, report);
  clearProgress();
  if (options.json) {
    printJson(report);
    return;
  }
  print(describeReport(report, process.stdout.columns, page));
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
