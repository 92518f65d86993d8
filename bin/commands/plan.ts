/** `sliced-inference plan MODEL`: shows how a model would be sliced, without writing the slices. */
import { Command, Option } from 'commander';
import { type AnalyzedModel, analyzeModel } from '../../lib/compile/analyze';
import { compileCut } from '../../lib/compile/compile';
import { bestCut } from '../../lib/plan/best-cut';
import { type ConsolidationMode, CONSOLIDATIONS } from '../../lib/plan/pricing/price';
import type { Slicer } from '../../lib/plan/slicers';
import { DEFAULT_GOAL } from '../../lib/plan/goal';
import { DEFAULT_MAX_MEMORY_MB } from '../../lib/plan/sizes/lambda-quotas';
import { assembleReport } from '../plan/report/assemble-report';
import type { ReportRequest } from '../plan/report/report-request';
import { describeDetails, describeReport } from '../plan/describe-report';
import { checkPlace } from '../outputs/named-file';
import { PAGE_FLAG, writePage } from '../plan/write-page';
import { clearProgress, showProgress } from '../terminal/progress';
import { choice } from './search-options';
import { type SlicingOptions, addSlicingOptions, analyzeOptions, slicerFor } from './slicing-options';
import { print, printJson } from '../terminal/print';

interface Options extends SlicingOptions {
  readonly report?: string;
  readonly details?: boolean;
  readonly json?: boolean;
  readonly consolidation: ConsolidationMode;
}

const HELP = `
Takes the slicing flags of slice and verify, and writes no slices. Without --details, it prints the verdict, the slices, the price and the
time. --report writes one HTML page with charts, which needs no
network; an earlier file of this name is replaced. Every number in the page is also in --json.

Examples:
  $ sliced-inference plan model.onnx
  $ sliced-inference plan model.onnx --slices 4 --dimension sequence=128 --details
  $ sliced-inference plan model.onnx --max-memory 1024 --report report.html
  $ sliced-inference plan model.onnx --slices 4 --json`;

export function planCommand(): Command {
  const command = new Command('plan')
    .description('show how a model would be sliced: whether to slice, memory, price, latency, other services')
    .argument('<model>', 'path of an ONNX model')
    .option('--report <file>', 'also write the plan as one HTML page with charts')
    .addOption(
      choice(
        '--consolidation <mode>',
        'plan for a pipeline with one function that also has the whole model',
        CONSOLIDATIONS,
      ).default('automatic'),
    )
    .addOption(
      new Option(
        '--details',
        'also print all warnings, the runs, and what to know of the other services',
      ).conflicts('json'),
    )
    .option('--json', 'print JSON')
    .option('--no-tensors-in-state', 'price a pipeline whose tensors between slices are all in S3')
    .addHelpText('after', HELP);
  return addSlicingOptions(command).action(async (path: string, options: Options) => {
    const { report: page } = options;
    const slicer = slicerFor(options);
    if (page !== undefined) checkPlace(page, PAGE_FLAG);
    showProgress(`reading ${path}`);
    const analyzed = analyzeModel(path, analyzeOptions(options));
    showProgress(`planning ${path}`);
    const cut = bestCut(analyzed.dataflow, analyzed.cuts, slicer, options.consolidation);
    const { plan } = compileCut(analyzed, cut);
    const report = assembleReport(analyzed, cut, plan, reportRequest(analyzed, slicer, options));
    if (page !== undefined) await writePage(page, report);
    clearProgress();
    if (options.json) {
      printJson(report);
      return;
    }
    const describe = options.details ? describeDetails : describeReport;
    print(describe(report, process.stdout.columns));
    if (page !== undefined) print(`\nreport written to ${page}\n`);
  });
}

/** Only `automatic` has a goal, and a limit on memory without a flag. */
function reportRequest(
  { transport, profile }: AnalyzedModel,
  { goal }: Slicer,
  options: Options,
): ReportRequest {
  const { maxMemory } = options;
  const request = {
    transport,
    profileDifferences: profile?.differences ?? [],
    given: {
      requestsPerHour: options.requestsPerHour !== undefined,
      maxMemoryMb: maxMemory !== undefined,
      stateMachineType: options.stateMachine !== undefined,
      architecture: options.architecture !== undefined,
      warmUp: options.warmUp === false,
      tensorsInState: options.tensorsInState === false,
      tensorStore: options.tensorStore !== undefined,
    },
  };
  if (goal === undefined) return { ...request, goal: DEFAULT_GOAL };
  return { ...request, goal, maxMemoryMb: maxMemory ?? DEFAULT_MAX_MEMORY_MB };
}
