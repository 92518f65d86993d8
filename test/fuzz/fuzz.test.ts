/**
 * The fuzzer. Each run mutates something that the library reads, or builds something hostile, and gives it to the library as a file. The
 * library must accept the file or refuse it with one clear error, in bounded time and memory.
 *
 * `npm run fuzz` tries more files: `FUZZ_RUNS` of each kind, with the seed `FUZZ_SEED`. `FUZZ_RUN` repeats one run and `FUZZ_KEEP` names a folder
 * for its files.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { builtFile } from '../../lib/host/packages';
import { askOneProcess } from '../support/inference/fast-analysis';
import { temporaryFolder } from '../support/temporary-folder';
import type { FuzzCase, Outcome } from './case';
import { modelCase, putBesideModel } from './models/model-cases';
import { planCase, putBesidePlan } from './plans/plan-cases';
import { Random } from './random';
import { eventCase } from './requests/request-cases';
import { type Limits, Watcher } from './watch';

const { FUZZ_RUNS, FUZZ_SEED = '1', FUZZ_RUN, FUZZ_KEEP } = process.env;

interface Kind {
  readonly runs: number;
  /** How the library refuses most files. */
  readonly refusal: Outcome;
  /** The built module that runs cases: its `runCase` throws if the library behaves wrongly. */
  readonly module: string;
  readonly file: string;
  readonly limits: Limits;
  readonly makeCase: (random: Random) => FuzzCase;
  /** Writes the files that a case refers to into a folder. */
  readonly putBeside?: (folder: string) => void;
}

const KINDS: Readonly<Record<string, Kind>> = {
  models: {
    ...{
      runs: 200,
      refusal: 'refused by ONNX Runtime',
      module: 'models/model-target.js',
      file: 'model.onnx',
    },
    ...{ limits: { seconds: 10, peakMb: 300 }, makeCase: modelCase, putBeside: putBesideModel },
  },
  plans: {
    ...{ runs: 150, refusal: 'refused', module: 'plans/plan-target.js', file: 'plan.json' },
    // CDK takes seconds to load, and 250 MB.
    ...{ limits: { seconds: 60, peakMb: 900 }, makeCase: planCase, putBeside: putBesidePlan },
  },
  events: {
    ...{ runs: 800, refusal: 'refused', module: 'requests/request-target.js', file: 'event.json' },
    ...{ limits: { seconds: 20, peakMb: 400 }, makeCase: eventCase },
  },
};

askOneProcess();
let tidyUp = (): void => undefined;
afterEach(() => {
  tidyUp();
});

test.each(Object.entries(KINDS))(
  'each run of %s ends with the right result, or with one clear error',
  async (_, { runs, refusal, module, file, limits, makeCase, putBeside }) => {
    const [folder, temporary] = [temporaryFolder(), temporaryFolder()];
    putBeside?.(folder);
    const environment = { ...process.env, TMPDIR: temporary, SLICED_INFERENCE_CACHE: '' };
    const watcher = new Watcher(builtFile(`test/fuzz/${module}`), limits, environment);
    tidyUp = () => {
      watcher.stop();
    };
    const all = Array.from({ length: Number(FUZZ_RUNS ?? runs) }, (__, run) => run);
    const outcomes = new Set<Outcome>();
    const failures: string[] = [];
    for (const run of FUZZ_RUN === undefined ? all : [Number(FUZZ_RUN)]) {
      const { title, content, settings } = makeCase(new Random(`${FUZZ_SEED}:${run}`));
      fs.writeFileSync(path.join(folder, file), content);
      const verdict = await watcher.judge({ path: path.join(folder, file), settings });
      if ('failure' in verdict)
        failures.push(`FUZZ_SEED=${FUZZ_SEED} FUZZ_RUN=${run} (${title}): ${verdict.failure}`);
      else outcomes.add(verdict.outcome);
    }
    if (FUZZ_KEEP !== undefined) fs.cpSync(folder, FUZZ_KEEP, { recursive: true, verbatimSymlinks: true });
    expect(failures).toEqual([]);
    if (FUZZ_RUN === undefined) expect([...outcomes]).toEqual(expect.arrayContaining(['accepted', refusal]));
  },
  86_400_000,
);
