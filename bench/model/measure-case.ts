/** Runs one pipeline cold and warm, and predicts each run. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { analyzeModel } from '../../lib/compile/analyze';
import { compileCut } from '../../lib/compile/compile';
import { readProfile } from '../../lib/compile/files/read-profile';
import { parseConstants } from '../../lib/cost/constants/constants-file';
import { valuesOf } from '../../lib/cost/constants/constant';
import { type Environment, DEFAULT_ENVIRONMENT, ENVIRONMENT } from '../../lib/cost/constants/defaults';
import { PLAN_FILE, writeSlices } from '../../lib/emit/write';
import { Deployment } from '../deployment';
import type { BenchModel } from '../inputs';
import { run } from '../measure';
import { dimensionFlags, PROGRAM, synthesize } from '../synthesize';
import { slowdown } from './machine';
import { type PlannedRun, type PredictedRun, plannedRun, predictRun } from './predict';
import { type FullSimulation, type Machine, simulatedEnvironment } from './simulated-environment';

export interface RunModel extends BenchModel {
  readonly slices: number;
  readonly stateMachineType?: 'express' | 'standard';
}

/** Warm runs that follow each cold one. */
const WARM_RUNS = 3;

interface CaseSetting {
  /** For the assembly and the files. */
  readonly folder: string;
  readonly simulation: FullSimulation;
  readonly machine: Machine;
  readonly rounds: number;
  readonly warmUp: boolean;
}

type Temperature = 'cold' | 'warm';

interface MeasuredRun {
  readonly round: number;
  readonly temperature: Temperature;
  readonly ms: number;
  readonly slowdown: number;
  /** By the environment that describes the simulation. */
  readonly described: PredictedRun;
}

/** Predicted / measured time of the runs of one temperature. */
export interface Compared {
  readonly seconds: readonly number[];
  /** With constants that describe the simulation and this machine. */
  readonly described: readonly number[];
  /** In every second round: with constants that are calibrated from the logs of the other rounds. */
  readonly calibrated: readonly number[];
  /** In the same rounds: with the library's own constants, which describe AWS. */
  readonly defaults: readonly number[];
}

export interface CaseResult {
  readonly name: string;
  readonly cold: Compared;
  readonly warm: Compared;
  readonly slowdowns: readonly number[];
}

export async function measureCase(model: RunModel, setting: CaseSetting): Promise<CaseResult> {
  const { folder, simulation, machine, rounds, warmUp } = setting;
  const { file, slices, dimensions, stateMachineType = 'express' } = model;
  fs.mkdirSync(folder);
  const outdir = path.join(folder, 'assembly');
  synthesize({ outdir, model, slices, warmUp, stateMachineType });
  const profilePath = profileOf(model, folder);
  const profile = readProfile(profilePath);
  const planned = plannedRun(analyzeModel(file, { dimensions }), slices);
  const predict = (environment: Environment): PredictedRun =>
    predictRun(planned, { environment, profile, warmUp, stateMachineType });
  const log: { readonly round: number; readonly line: string }[] = [];
  const runs: MeasuredRun[] = [];
  let round = 0;
  const deployment = await Deployment.start(model, outdir, {
    simulation,
    onLog: (name, line) => log.push({ round, line: `${name}: ${line}\n` }),
  });
  try {
    // Does not count: it compiles the code of the simulation.
    await deployment.run();
    for (round = 1; round <= rounds; round++) {
      await deployment.makeCold();
      for (let index = 0; index <= WARM_RUNS; index++) {
        const temperature = index === 0 ? 'cold' : 'warm';
        const before = slowdown();
        const { ms } = await deployment.run();
        const during = (before + slowdown()) / 2;
        const together = warmUp && temperature === 'cold' ? planned.plan.slices.length : 1;
        const described = predict(
          simulatedEnvironment(simulation, { ...machine, slowdown: during }, together),
        );
        runs.push({ round, temperature, ms, slowdown: during, described });
      }
    }
  } finally {
    await deployment.close();
    fs.rmSync(outdir, { recursive: true, force: true });
  }
  // From the rounds with even numbers; the others are predicted.
  const lines = log.filter((each) => each.round > 0 && isCalibrating(each.round)).map(({ line }) => line);
  const table = calibrateFrom(lines.join(''), { folder, planned, profilePath, stateMachineType });
  const [calibrated, defaults] = [predict(table), predict(DEFAULT_ENVIRONMENT)];
  const compared = (temperature: Temperature): Compared =>
    comparedRuns(runs, temperature, calibrated[temperature], defaults[temperature]);
  return {
    name: `${model.name}, ${slices} slices${warmUp ? '' : ', no warm-up'}`,
    cold: compared('cold'),
    warm: compared('warm'),
    slowdowns: runs.map((one) => one.slowdown),
  };
}

function isCalibrating(round: number): boolean {
  return round % 2 === 0;
}

function comparedRuns(
  runs: readonly MeasuredRun[],
  temperature: Temperature,
  calibratedMs: number,
  defaultMs: number,
): Compared {
  const all = runs.filter((one) => one.temperature === temperature);
  const heldOut = all.filter(({ round }) => !isCalibrating(round));
  return {
    seconds: all.map(({ ms }) => ms / 1000),
    described: all.map(({ ms, described }) => described[temperature] / ms),
    calibrated: heldOut.map(({ ms }) => calibratedMs / ms),
    defaults: heldOut.map(({ ms }) => defaultMs / ms),
  };
}

interface CalibrationFiles {
  readonly folder: string;
  readonly planned: PlannedRun;
  readonly profilePath: string;
  readonly stateMachineType: 'express' | 'standard';
}

/** Runs the command as a user does, with the plan of the slices that ran. */
function calibrateFrom(lines: string, { folder, planned, profilePath, stateMachineType }: CalibrationFiles) {
  const slices = path.join(folder, 'slices');
  writeSlices(compileCut(planned.analyzed, planned.cut), slices);
  const log = path.join(folder, 'functions.log');
  fs.writeFileSync(log, lines);
  const out = path.join(folder, 'environment.json');
  const flags = ['--plan', path.join(slices, PLAN_FILE), '--profile', profilePath];
  const machine = ['--state-machine-type', stateMachineType];
  run(process.execPath, [PROGRAM, 'calibrate', log, ...flags, ...machine, '--out', out]);
  fs.rmSync(slices, { recursive: true });
  return valuesOf(parseConstants(fs.readFileSync(out, 'utf8'), out, 'environment', ENVIRONMENT));
}

/** Returns the path of the profile. */
function profileOf(model: RunModel, folder: string): string {
  const out = path.join(folder, 'model.profile.json');
  run(process.execPath, [PROGRAM, 'profile', model.file, ...dimensionFlags(model), '--out', out]);
  return out;
}
