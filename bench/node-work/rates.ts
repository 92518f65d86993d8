/** Measures models of one operator, and prints how far the analytic model is from each. */
import * as path from 'node:path';
import { analyzeModel } from '../../lib/compile/analyze';
import { inferTypes } from '../../lib/shapes/infer';
import { nodeWork } from '../../lib/node-work/node-work';
import type { ModelProfile } from '../../lib/node-work/profile/profile';
import { profiledTypes, profiledWork } from '../../lib/node-work/profile/profiled-model';
import { spread } from '../measure';
import { formatTable } from '../table';
import type { WorkModel } from './models';
import { OPERATOR_CASES } from './operator-cases';
import { writeOperator } from './write-operator';

/** Makes the profile of a model. */
type MakeProfile = (model: WorkModel, runs: number) => ModelProfile;

export function benchRates(folder: string, profileOf: MakeProfile, runs: number): string {
  const rows = OPERATOR_CASES.map((operator) => {
    const file = path.join(folder, 'operator.onnx');
    writeOperator(file, operator);
    const profile = profileOf({ name: operator.title, file, dimensions: {} }, runs);
    const { model } = analyzeModel(file);
    const inferred = inferTypes(model, [...model.graph.nodes.keys()], {});
    const types = profiledTypes(model.graph, profile, inferred);
    const times = profiledWork(profile).filter((_, node) => node % 2 === 0);
    const measured = spread(times).median;
    const [predicted] = nodeWork(model, types);
    return [
      operator.title,
      (measured * 1e6).toFixed(1),
      (predicted * 1e6).toFixed(1),
      (predicted / measured).toFixed(2),
    ];
  });
  return formatTable(['operator', 'measured us', 'analytic us', 'ratio'], rows);
}
