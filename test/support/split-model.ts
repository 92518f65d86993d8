/** Splits operators of small models, and saves the models whole and in parts. */
import * as path from 'node:path';
import { saveModelOf } from '../../bench/split/comparison';
import { analyzeModel } from '../../lib/compile/analyze';
import { splitModel } from '../../lib/split/rewrite';
import { type Splittable, splitInto, wayToSplit } from '../../lib/split/splittable';
import { type ModelInit, saveModel, temporaryFolder } from './model-builder';

/** How the last operator of a small model can be split. */
export function wayOf(init: ModelInit): Splittable | string {
  const { subject } = analyzeModel(saveModel(init)).splitting;
  const { nodes } = subject.model.graph;
  return wayToSplit(subject, nodes[nodes.length - 1]);
}

/** Saves a model and the same model with every operator that can be split in parts. @returns both paths */
export function savedSplit(
  init: ModelInit,
  count: number,
): { whole: string; parts: string; nodes: string[] } {
  const whole = saveModel(init);
  const { subject } = analyzeModel(whole).splitting;
  const splits = subject.model.graph.nodes.flatMap((node) => {
    const way = wayToSplit(subject, node);
    return typeof way === 'string' ? [] : [splitInto(way, count)];
  });
  const { model } = splitModel(subject, splits);
  const parts = path.join(temporaryFolder(), 'parts.onnx');
  saveModelOf(model, parts);
  return { whole, parts, nodes: model.graph.nodes.map(({ opType }) => opType) };
}
