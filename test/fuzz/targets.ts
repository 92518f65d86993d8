/** The kinds of files that the fuzzer mutates, each with the module that gives them to the library. */
import * as path from 'node:path';
import type { CaseSource } from './cases';
import { CaseMaker } from './cases';
import { putBesideModel } from './model-files';
import { putBesidePlan } from './plans/base-plans';
import { PlanCaseMaker } from './plans/plan-cases';

export interface FuzzTarget {
  /** Absolute path of the module that runs cases, see `Target`. */
  readonly module: string;
  /** Name of the file of a case. */
  readonly file: string;
  /** Time limit of a case, in seconds. The first case of a process includes loading the library. */
  readonly timeLimit: number;
  /** Memory of the process that runs the library, in MB: the limit of a case, and what it may hold between cases. */
  readonly memory: { readonly limitMb: number; readonly restingMb: number };
  /** Writes the files that a case refers to into a folder. */
  readonly putBeside: (folder: string) => void;
  readonly casesOf: (seed: number) => CaseSource;
}

/** By name. */
export const TARGETS = {
  models: {
    module: path.join(__dirname, 'model-target.js'),
    file: 'model.onnx',
    timeLimit: 10,
    memory: { limitMb: 300, restingMb: 150 },
    putBeside: putBesideModel,
    casesOf: (seed) => new CaseMaker(seed),
  },
  plans: {
    module: path.join(__dirname, 'plans/plan-target.js'),
    file: 'plan.json',
    // CDK takes seconds to load, and 250 MB.
    timeLimit: 60,
    memory: { limitMb: 900, restingMb: 600 },
    putBeside: putBesidePlan,
    casesOf: (seed) => new PlanCaseMaker(seed),
  },
} as const satisfies Record<string, FuzzTarget>;
