/** The kinds of files, requests and events that the fuzzer mutates, each with the module that gives them to the library. */
import * as path from 'node:path';
import type { CaseSource } from './cases';
import { CaseMaker } from './cases';
import { HeaderCaseMaker } from './headers/header-cases';
import { putBesideModel } from './model-files';
import { putBesidePlan } from './plans/base-plans';
import { PlanCaseMaker } from './plans/plan-cases';
import { EventCaseMaker } from './requests/event-cases';
import { InputCaseMaker } from './requests/input-cases';

export interface FuzzTarget {
  /** Absolute path of the module that runs cases, see `Target`. */
  readonly module: string;
  /** Name of the file of a case. */
  readonly file: string;
  /** Time limit of a case, in seconds. The first case of a process includes loading the library. */
  readonly timeLimit: number;
  /** Memory of the process that runs the library, in MB: the limit of a case, and what it may hold between cases. */
  readonly memory: { readonly limitMb: number; readonly restingMb: number };
  /**
   * Writes the files that a case refers to into a folder.
   * @default - a case is one file
   */
  readonly putBeside?: (folder: string) => void;
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
  headers: {
    module: path.join(__dirname, 'headers/header-target.js'),
    file: 'file.safetensors',
    timeLimit: 10,
    memory: { limitMb: 300, restingMb: 150 },
    casesOf: (seed) => new HeaderCaseMaker(seed),
  },
  inputs: {
    module: path.join(__dirname, 'requests/input-target.js'),
    file: 'request.json',
    timeLimit: 20,
    memory: { limitMb: 400, restingMb: 200 },
    casesOf: (seed) => new InputCaseMaker(seed),
  },
  events: {
    module: path.join(__dirname, 'requests/event-target.js'),
    file: 'event.json',
    timeLimit: 20,
    memory: { limitMb: 400, restingMb: 200 },
    casesOf: (seed) => new EventCaseMaker(seed),
  },
} as const satisfies Record<string, FuzzTarget>;
