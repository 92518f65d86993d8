/** `sliced-inference profile MODEL --out FILE`: measures how long each node computes, and writes a profile. */
import { Command } from 'commander';
import { escaped } from '../../lib/errors';
import { type ModelProfile, profileText } from '../../lib/compute-time/profile/profile';
import { checkPlace, writeNamedFile } from '../outputs/named-file';
import { type ProfileOptions, profileModel } from '../profile/profile-model';
import { laidOut } from '../terminal/help';
import { clearProgress, showProgress } from '../terminal/progress';
import { wholeNumber } from './search-options';
import { type ModelOptions, addModelOptions } from './slicing-options';
import { print } from '../terminal/print';

interface Options extends ModelOptions, Omit<ProfileOptions, 'dimensions' | 'optimization' | 'onStep'> {
  readonly out: string;
}

/** More would not run on any function of Lambda. */
const MAX_THREADS = 64;
const MAX_RUNS = 10_000;

const HELP = `
Runs the model slice by slice with ONNX Runtime's profiler, with the settings of the functions. One slice is in memory and
on the disk at a time, so the model may be larger than memory. The first run of each slice does not count. The profile has, for
each node, the median of the shorter half of its times. Run it on an idle machine, and commit the file: synthesis reads it and never measures.
Without --inputs, the command generates inputs as verify does. It guesses symbolic sizes unless --dimension sets them.

Examples:
  $ sliced-inference profile model.onnx --dimension batch=1 --out profile.json
  $ sliced-inference profile model.onnx --inputs x.npz --runs 50 --out p.json`;

export function profileCommand(): Command {
  const command = new Command('profile')
    .description('measure how long each node of a model computes')
    .argument('<model>', 'path of an ONNX model')
    .addHelpText('after', laidOut(HELP));
  addModelOptions(command)
    .optionsGroup('Measurement:')
    .option('--inputs <file>', '.safetensors, .npz, .npy or .json (default: generated inputs)')
    .option('--seed <n>', 'seed of generated inputs', wholeNumber(), 0)
    .option('--threads <n>', "ONNX Runtime's threads", wholeNumber(1, MAX_THREADS), 1)
    .option('--runs <n>', 'measured runs of each slice', wholeNumber(1, MAX_RUNS), 15)
    .optionsGroup('Output:')
    .requiredOption('--out <file>', 'file to write the profile to');
  return command.action(async (model: string, options: Options) => {
    const { dimension: dimensions, optimize: optimization, out, ...measured } = options;
    checkPlace(out, '--out');
    const settings = { ...measured, dimensions, optimization, onStep: showProgress };
    const profile = await profileModel(model, settings);
    await writeNamedFile(out, '--out', profileText(profile));
    clearProgress();
    print(describe(profile, out));
  });
}

function describe(profile: ModelProfile, out: string): string {
  const { machine, dimensions, runs, nodes } = profile;
  const seconds = nodes.reduce((sum, node) => sum + (node?.seconds ?? 0), 0);
  const sizes = Object.entries(dimensions).map(([name, size]) => `${name}=${size}`);
  const measured = nodes.filter((node) => node !== null).length;
  const threads = machine.threads === 1 ? '1 thread' : `${machine.threads} threads`;
  return [
    `ONNX Runtime runs ${measured} of ${nodes.length} nodes, constant ones included, in ${(seconds * 1000).toPrecision(3)} ms: median of ${runs} runs with ${threads} on ${machine.processor}, ${(machine.speeds.float32 / 1e9).toFixed(0)} GFLOP/s a thread`,
    ...(sizes.length > 0 ? [escaped(`dimensions ${sizes.join(', ')}`)] : []),
    `written to ${out}`,
    '',
  ].join('\n');
}
