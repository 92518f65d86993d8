/** The kinds of files, requests and events that the fuzzer mutates, each with the module that gives them to the library. */
import * as path from 'node:path';
import type { FuzzCase } from './case';
import { modelCase, putBesideModel } from './models/model-cases';
import { planCase, putBesidePlan } from './plans/plan-cases';
import type { Random } from './random';
import { eventCase } from './requests/request-cases';
import type { Limits } from './watch';

export interface FuzzTarget {
  /** Absolute path of the module that runs cases: its `runCase` throws if the library behaves wrongly. */
  readonly module: string;
  /** Name of the file of a case. */
  readonly file: string;
  readonly limits: Limits;
  readonly makeCase: (random: Random) => FuzzCase;
  /**
   * Writes the files that a case refers to into a folder.
   * @default - a case is one file
   */
  readonly putBeside?: (folder: string) => void;
}

/** By name. */
export const TARGETS = {
  models: {
    module: moduleAt('models/model-target.js'),
    file: 'model.onnx',
    limits: { seconds: 10, peakMb: 300 },
    makeCase: modelCase,
    putBeside: putBesideModel,
  },
  plans: {
    module: moduleAt('plans/plan-target.js'),
    file: 'plan.json',
    // CDK takes seconds to load, and 250 MB.
    limits: { seconds: 60, peakMb: 900 },
    makeCase: planCase,
    putBeside: putBesidePlan,
  },
  events: {
    module: moduleAt('requests/request-target.js'),
    file: 'event.json',
    limits: { seconds: 20, peakMb: 400 },
    makeCase: eventCase,
  },
} as const satisfies Record<string, FuzzTarget>;

function moduleAt(file: string): string {
  return path.join(__dirname, file);
}
