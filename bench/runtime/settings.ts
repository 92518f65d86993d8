/** Measures ONNX Runtime's settings, one change at a time: the reasons for the settings in `lambda/slice/session.ts`. */
import { execFileSync } from 'node:child_process';
import * as path from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';
import { formatSpread, spread, type Spread } from '../measure';
import { formatTable } from '../table';
import type { BenchModel } from './models';
import type { SettingsResult } from './settings-child';

/** The settings of the slice functions. */
const CHOSEN: InferenceSession.SessionOptions = {
  graphOptimizationLevel: 'disabled',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  enableMemPattern: false,
  enableCpuMemArena: true,
  extra: { session: { disable_prepacking: '1', intra_op: { allow_spinning: '0' } } },
};

const CHANGES: readonly (readonly [name: string, change: InferenceSession.SessionOptions])[] = [
  ['chosen', {}],
  ['prepacking', { extra: { session: { disable_prepacking: '0', intra_op: { allow_spinning: '0' } } } }],
  ['no arena', { enableCpuMemArena: false }],
  ['memory pattern', { enableMemPattern: true }],
  ['2 threads', { intraOpNumThreads: 2 }],
  [
    '2 spinning threads',
    {
      intraOpNumThreads: 2,
      extra: { session: { disable_prepacking: '1', intra_op: { allow_spinning: '1' } } },
    },
  ],
  ['basic optimization', { graphOptimizationLevel: 'basic' }],
  ['extended optimization', { graphOptimizationLevel: 'extended' }],
];

export function benchSettings(models: readonly BenchModel[], rounds: number): string {
  const rows = models.flatMap((model) => {
    const inTurns = Array.from({ length: rounds }, () =>
      CHANGES.map(([, change]) => once(model, { ...CHOSEN, ...change })),
    );
    return CHANGES.map(([name], index) => {
      const over = (of: (result: SettingsResult) => number): Spread =>
        spread(inTurns.map((results) => of(results[index])));
      const ratio = (of: (result: SettingsResult) => number): Spread =>
        spread(inTurns.map((results) => of(results[index]) / of(results[0])));
      return [
        index === 0 ? model.name : '',
        name,
        formatSpread(over(loadMs), 0),
        formatSpread(over(firstRunMs), 1),
        formatSpread(over(runMs), 1),
        formatSpread(ratio(runMs), 2),
        formatSpread(over(peakMegabytes), 0),
        formatSpread(ratio(peakMegabytes), 2),
      ];
    });
  });
  return formatTable(
    ['whole model', 'setting', 'load ms', 'first run ms', 'run ms', 'ratio', 'peak memory MB', 'ratio'],
    rows,
  );
}

const loadMs = (result: SettingsResult): number => result.loadMs;
const firstRunMs = (result: SettingsResult): number => result.firstRunMs;
const runMs = (result: SettingsResult): number => spread(result.runMs).median;
const peakMegabytes = (result: SettingsResult): number => result.peakBytes / 1e6;

function once(model: BenchModel, options: InferenceSession.SessionOptions): SettingsResult {
  const args = [path.join(__dirname, 'settings-child.js'), JSON.stringify(model), JSON.stringify(options)];
  return JSON.parse(
    execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  ) as SettingsResult;
}
