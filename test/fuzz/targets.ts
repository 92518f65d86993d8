/** The kinds of files, requests and events that the fuzzer mutates, each with the module that gives them to the library. */
import * as path from 'node:path';
import type { FuzzCase } from './fuzz-case';
import { headerCase } from './headers/header-cases';
import { putBesideModel } from './models/external-data';
import { modelCase } from './models/model-cases';
import { putBesidePlan } from './plans/base-plans';
import { planCase } from './plans/plan-cases';
import type { Random } from './random';
import { eventCase, inputCase } from './requests/request-cases';

export interface FuzzTarget {
  /** Absolute path of the module that runs cases: its `runCase` throws if the library behaves wrongly. */
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
  readonly makeCase: (random: Random) => FuzzCase;
}

const small = { timeLimit: 10, memory: { limitMb: 300, restingMb: 150 } };
const slices = {
  module: path.join(__dirname, 'requests/request-target.js'),
  timeLimit: 20,
  memory: { limitMb: 400, restingMb: 200 },
};

/** By name. */
export const TARGETS = {
  models: {
    ...small,
    module: path.join(__dirname, 'models/model-target.js'),
    file: 'model.onnx',
    putBeside: putBesideModel,
    makeCase: modelCase,
  },
  plans: {
    module: path.join(__dirname, 'plans/plan-target.js'),
    file: 'plan.json',
    // CDK takes seconds to load, and 250 MB.
    timeLimit: 60,
    memory: { limitMb: 900, restingMb: 600 },
    putBeside: putBesidePlan,
    makeCase: planCase,
  },
  headers: {
    ...small,
    module: path.join(__dirname, 'headers/header-target.js'),
    file: 'file.safetensors',
    makeCase: headerCase,
  },
  inputs: { ...slices, file: 'event.json', makeCase: inputCase },
  events: { ...slices, file: 'event.json', makeCase: eventCase },
} as const satisfies Record<string, FuzzTarget>;
