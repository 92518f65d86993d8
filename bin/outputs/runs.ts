/** One request, run once or several times: shows the outputs of the first run and the times of all, and compares their outputs. */
import type { RawTensor } from '../../lambda/tensors/tensor';
import { quoted, printable } from '../../lib/errors';
import type { InputOptions } from '../invoke/inputs';
import { FAILED } from '../process/exit-codes';
import { writeTensorFile } from '../tensor-files';
import { print, printJson, printLine } from '../terminal/print';
import { warnOfMemory } from '../timings/memory-warnings';
import { type TimedRun, isCold, repeatFigures, repeatLines, timeText } from '../timings/repeats';
import { axisOf, timeBars } from '../timings/time-bars';
import { compareTensor } from '../verify/difference';
import { writtenLine } from './out-file';
import { outputSummary } from './output-summary';
import { processorsOf } from '../../client/read-results';
import type { CallTiming } from '../../contract/execution';

type Outputs = ReadonlyMap<string, RawTensor>;

/** What is shown besides outputs and times. */
interface Shown {
  /** What `--json` prints of the first run. */
  readonly json: () => object;
  /** Lines about the first run. */
  readonly about: readonly string[];
}

/** Shows what has ended before a failure, which matters more than one of writing. */
export async function showAfterFailure(show: () => Promise<void>): Promise<void> {
  try {
    await show();
  } catch (error) {
    printLine(`error: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export class Runs {
  private readonly count: number;
  private isShown = false;
  private readonly ended: TimedRun[] = [];
  private first: Outputs = new Map();
  /** Runs with other bits than the first, with the first output that differs. */
  private readonly different: { readonly run: number; readonly output: string }[] = [];

  /** @param where says behind the total time where the runs were */
  constructor(
    private readonly options: Pick<InputOptions, 'out' | 'json' | 'repeat'>,
    private readonly where?: string,
  ) {
    this.count = options.repeat ?? 1;
  }

  /** Whether another run is to follow. */
  next(): boolean {
    return this.ended.length < this.count;
  }

  /** `run 2 of 10: `; empty for a single run. */
  get place(): string {
    return this.count === 1 ? '' : `run ${this.ended.length + 1} of ${this.count}: `;
  }

  add(run: TimedRun, outputs: Outputs): void {
    this.ended.push(run);
    if (this.ended.length === 1) {
      this.first = outputs;
      return;
    }
    const other = [...this.first].find(
      ([name, tensor]) => !compareTensor(name, tensor, outputs.get(name)).identical,
    );
    if (other !== undefined) this.different.push({ run: this.ended.length, output: other[0] });
  }

  /** Writes `--out`, and prints the rest, of the runs that ended, once. Sets the exit code if outputs differ. */
  async show({ json, about }: Shown): Promise<void> {
    if (this.ended.length === 0 || this.isShown) return;
    this.isShown = true;
    const { out } = this.options;
    if (out !== undefined) await writeTensorFile(out, this.first);
    warnOfMemory(this.ended[this.ended.length - 1].timings);
    if (this.options.json) {
      const differing = this.different.length;
      printJson({
        ...json(),
        ...(this.count > 1 && { repeat: { ...repeatFigures(this.ended), differing } }),
      });
    } else {
      const [summary, written] =
        out === undefined ? [[outputSummary(this.first), ''], []] : [[], [writtenLine(out)]];
      print([...summary, ...this.timeLines(), ...about, ...written, ''].join('\n'));
    }
    this.reportDifferences();
  }

  private timeLines(): string[] {
    if (this.count === 1) return this.linesOf(this.ended[0]);
    const { length } = this.ended;
    const shown = [...new Set([1, length])].flatMap((number) => {
      const run = this.ended[number - 1];
      return [`run ${number}, ${isCold(run) ? 'cold' : 'warm'}`, ...this.linesOf(run), ''];
    });
    const all = length === this.count ? `all ${length} runs` : `the ${length} runs that ended`;
    const same = this.different.length === 0 && length > 1 ? [`outputs: the same bits in ${all}`] : [];
    return [...shown, ...repeatLines(this.ended), ...same];
  }

  private linesOf({ ms, timings }: TimedRun): string[] {
    const where = this.where === undefined ? '' : `; ${this.where}`;
    const { ms: functions } = axisOf(timings);
    const rest = timeText(Math.max(0, ms - functions));
    const parts = `functions ${timeText(functions)}; starts, state machine and transfers ${rest}`;
    return [timeBars(timings), ...processorLines(timings), `total ${timeText(ms)}: ${parts}${where}`];
  }

  private reportDifferences(): void {
    if (this.different.length === 0) return;
    const [{ run, output }] = this.different;
    printLine(
      `error: the outputs of all runs must have the same bits, got others than in run 1 in ${this.different.length} of ${this.ended.length} runs, ` +
        `first ${quoted(output)} in run ${run}: check that all functions had the same processors, that no deployment was under way, and that the model has no random operators`,
    );
    process.exitCode = FAILED;
  }
}

/** One line; none if the pipeline does not say it. */
export function processorLines(timings: readonly CallTiming[]): string[] {
  const processors = processorsOf(timings);
  if (processors.length < 2) return processors.map((processor) => `processor: ${printable(processor)}`);
  const places = processors.map((processor) => {
    const slices = timings.filter((timing) => timing.processor === processor).map(({ slice }) => slice);
    return `${printable(processor)} (${slices.length === 1 ? 'slice' : 'slices'} ${slices.join(', ')})`;
  });
  return [
    `slices ran on several processors: ${places.join(', ')}; the last bits may differ from those of the whole model on each of them`,
  ];
}
