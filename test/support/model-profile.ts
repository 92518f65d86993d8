/** A profile of a model in code, as `sliced-inference profile` would write it. */
import type { AnalyzedModel } from '../../lib/compile/analyze';
import { onnxRuntimeVersion } from '../../lib/host/packages';
import { OMITTED } from '../../lib/onnx/model';
import { graphDigest } from '../../lib/plan/file/plan';
import type { ModelProfile } from '../../lib/compute-time/profile/profile';
import { LAMBDA_SPEEDS } from '../../lib/compute-time/kernel-class';
import { fileWith } from './changed-json';

/** Each node takes `seconds` and has the planned types, with `rows` in the first dimension if it is given. */
export function profileOf(
  { model, planned, optimization }: AnalyzedModel,
  { seconds = 0.01, rows }: { seconds?: number; rows?: number } = {},
): ModelProfile {
  const { graph } = model;
  const shapeOf = (value: number): number[] => {
    const shape = (planned.types[value].shape ?? []).map(Number);
    return rows === undefined ? shape : [rows, ...shape.slice(1)];
  };
  return {
    version: 2,
    library: '0.2.0',
    onnxRuntime: onnxRuntimeVersion(),
    graphOptimization: optimization,
    model: { file: 'model.onnx', nodes: graph.nodes.length, graphDigest: graphDigest(graph) },
    dimensions: planned.dimensions,
    machine: {
      processor: 'a processor',
      architecture: 'x64',
      threads: 1,
      speeds: LAMBDA_SPEEDS,
      callSeconds: 0.00002,
    },
    runs: 3,
    nodes: graph.nodes.map(({ outputs }) => ({
      seconds,
      outputs: outputs.map((value) =>
        value === OMITTED ? null : { dtype: planned.types[value].dtype ?? 'float32', shape: shapeOf(value) },
      ),
    })),
  };
}

/** @returns the path of the written profile */
export function saveProfile(profile: ModelProfile): string {
  return fileWith(JSON.stringify(profile), 'model.profile.json');
}
