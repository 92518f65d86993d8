/** `sliced-inference plan MODEL`: shows how a model would be sliced, without writing the slices. */
import { Command, Option } from 'commander';
import { analyzeModel } from '../../lib/compile/analyze';
import { compileCut } from '../../lib/compile/compile';
import { cutModel } from '../../lib/compile/fit-by-splits';
import { planLimits } from '../../lib/compile/plan-estimates';
import { type ConsolidationMode, CONSOLIDATIONS } from '../../lib/plan/pricing/price';
import { MAX_CHILDREN, MAX_ITEMS_PER_RUN, MAX_MAP_ITEMS } from '../../lib/cost/batch-limits';
import { assembleReport } from '../plan/report/assemble-report';
import { describeReport } from '../plan/describe-report';
import { checkPlace } from '../outputs/named-file';
import { PAGE_FLAG, writePage } from '../plan/write-page';
import { laidOut } from '../terminal/help';
import { clearProgress, showProgress } from '../terminal/progress';
import { choice, wholeNumber } from './search-options';
import { type SlicingOptions, addSlicingOptions, analyzeOptions, slicerFor } from './slicing-options';
import { print, printJson } from '../terminal/print';

interface Options extends SlicingOptions {
  readonly report?: string;
  readonly json?: boolean;
  readonly consolidation: ConsolidationMode;
  readonly batch?: number;
  readonly itemsPerRun: number;
  readonly concurrency: number;
}

const HELP = `
Takes the slicing flags of slice and verify, and writes no slices. It prints the verdict, the slices, the price and the time. --report
writes one HTML page with charts, which needs no network; an earlier file of this name is replaced. Every number in the page is also in
--json.

Examples:
  $ sliced-inference plan model.onnx
  $ sliced-inference plan model.onnx --slices 4 --dimension sequence=128
  $ sliced-inference plan model.onnx --max-memory 1024 --report report.html
  $ sliced-inference plan model.onnx --slices 4 --json
  $ sliced-inference plan model.onnx --batch 1000000 --concurrency 500`;

export function planCommand(): Command {
  const command = new Command('plan')
    .description('show the slices of a model, their price and time')
    .argument('<model>', 'path of an ONNX model')
    .addHelpText('after', laidOut(HELP));
  addSlicingOptions(command)
    .addOption(
      choice(
        '--consolidation <mode>',
        'plan for a pipeline with one function that also has the whole model',
        CONSOLIDATIONS,
      ).default('automatic'),
    )
    .option('--no-tensors-in-state', 'price a pipeline whose tensors between slices are all in S3');
  addBatchOptions(command)
    .optionsGroup('Output:')
    .option('--report <file>', 'also write the plan as one HTML page with charts')
    .option('--json', 'print JSON');
  return command.action(async (path: string, options: Options) => {
    const { report: page, batch: items, itemsPerRun, concurrency } = options;
    const slicer = slicerFor(options);
    if (page !== undefined) checkPlace(page, PAGE_FLAG);
    showProgress(`reading ${path}`);
    const read = analyzeModel(path, analyzeOptions(options));
    showProgress(`planning ${path}`);
    const { analyzed, cut } = cutModel(read, slicer, options.consolidation);
    const { plan } = compileCut(analyzed, cut);
    const report = assembleReport(analyzed, cut, plan, {
      transport: analyzed.transport,
      profileDifferences: analyzed.profile?.differences ?? [],
      ...planLimits(slicer),
      ...(items !== undefined && { batch: { items, itemsPerRun, concurrency } }),
    });
    if (page !== undefined) await writePage(page, report);
    clearProgress();
    if (options.json) {
      printJson(report);
      return;
    }
    print(describeReport(report, process.stdout.columns));
    if (page !== undefined) print(`\nreport written to ${page}\n`);
  });
}

function addBatchOptions(command: Command): Command {
  return command
    .optionsGroup('Batch:')
    .addOption(
      new Option('--batch <n>', 'also plan a batch of so many items: time, price, quotas').argParser(
        wholeNumber(1, MAX_MAP_ITEMS),
      ),
    )
    .addOption(
      new Option('--items-per-run <n>', 'with --batch: the most items of a child')
        .argParser(wholeNumber(1, MAX_ITEMS_PER_RUN))
        .default(8),
    )
    .addOption(
      new Option('--concurrency <n>', 'with --batch: the most children at once')
        .argParser(wholeNumber(1, MAX_CHILDREN))
        .default(100),
    );
}
