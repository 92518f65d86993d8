/** Makes profiles of a model and runs its slices, in turns, until enough rounds were not disturbed by other programs. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { analyzeModel } from '../../lib/compile/analyze';
import { compileAnalyzed } from '../../lib/compile/compile';
import { readProfile } from '../../lib/compile/profile-file';
import { writeSlices } from '../../lib/emit/write';
import type { ModelProfile } from '../../lib/node-work/profile/profile';
import { inChild, run } from '../measure';
import type { FreshAnswer, FreshJob } from './fresh-child';
import type { WorkModel } from './models';
import { predict, slicerOf, wiredSlices } from './predict';
import { productModel } from './product-model';

const CLI = path.join(__dirname, '../../../dist/bundle/program.js');

/** A round counts if the matrix product is as fast beside the profile as beside the runs, up to this share. */
const MOST_DISTURBED = 0.08;

/** Rounds that are tried for each round that is to count. */
const TRIES = 3;

export interface MeasureOptions {
  /** Rounds to count. */
  readonly rounds: number;
  /** Runs of each slice in a round, at least. */
  readonly runs: number;
  /** Safetensors file of inputs. By default, they are generated. */
  readonly inputs?: string;
}

/** What a round says of one slice. Ratios are predicted to measured time of the processor. */
export interface SliceRound {
  readonly elapsedMs: number;
  readonly cpuMs: number;
  readonly profiled: number;
  readonly analytic: number;
  readonly inferred: number;
}

interface Round {
  readonly slices: readonly SliceRound[];
  /** How much the speed of the machine changed, as a share. */
  readonly disturbed: number;
}

export interface MeasuredModel {
  /** By slice, then by round that counts. */
  readonly slices: readonly (readonly SliceRound[])[];
  /** Number of rounds that were measured. */
  readonly measured: number;
  /** Number of rounds that count although the machine was disturbed, because too few were not. */
  readonly disturbed: number;
}

/** @param folder for the slices */
export async function measureModel(
  model: WorkModel,
  folder: string,
  options: MeasureOptions,
): Promise<MeasuredModel> {
  const analyzed = analyzeModel(model.file, { dimensions: model.dimensions });
  writeSlices(compileAnalyzed(analyzed, slicerOf(analyzed)), folder);
  const product = path.join(path.dirname(folder), 'product.onnx');
  fs.writeFileSync(product, productModel());
  const wired = wiredSlices(analyzed);
  const measureRound = async (): Promise<Round> => {
    const profile = profileOf(model, path.dirname(folder), options);
    const { dimensions, machine } = profile;
    const { runs, inputs } = options;
    const job: FreshJob = { folder, dimensions, runs, product, ...(inputs !== undefined && { inputs }) };
    const fresh = await inChild<FreshAnswer>(path.join(__dirname, 'fresh-child.js'), job);
    const predicted = predict(analyzed, wired, profile);
    const speeds = [machine.flopsPerSecond, ...fresh.flopsPerSecond];
    return {
      disturbed: Math.max(...speeds) / Math.min(...speeds) - 1,
      slices: fresh.slices.map(({ elapsed, cpu }, slice) => ({
        elapsedMs: elapsed * 1000,
        cpuMs: cpu * 1000,
        profiled: predicted.profiled[slice] / cpu,
        analytic: predicted.analytic[slice] / cpu,
        inferred: predicted.inferred[slice] / cpu,
      })),
    };
  };

  const rounds: Round[] = [];
  const quiet = (): number => rounds.filter(({ disturbed }) => disturbed <= MOST_DISTURBED).length;
  while (rounds.length < options.rounds * TRIES && quiet() < options.rounds) {
    rounds.push(await measureRound());
  }
  const counted = [...rounds].sort((a, b) => a.disturbed - b.disturbed).slice(0, options.rounds);
  return {
    slices: wired.map((_, slice) => counted.map(({ slices }) => slices[slice])),
    measured: rounds.length,
    disturbed: Math.max(0, options.rounds - quiet()),
  };
}

/** @param folder for the profile */
export function profileOf(
  { file, dimensions }: WorkModel,
  folder: string,
  { runs, inputs }: Omit<MeasureOptions, 'rounds'>,
): ModelProfile {
  const out = path.join(folder, 'model.profile.json');
  const sizes = Object.entries(dimensions).flatMap(([name, size]) => ['--dimension', `${name}=${size}`]);
  const values = inputs === undefined ? [] : ['--inputs', inputs];
  run(process.execPath, [CLI, 'profile', file, ...sizes, ...values, '--runs', String(runs), '--out', out]);
  return readProfile(out);
}
