/** Splits operators of small models, and saves the models whole and in parts. */
import * as path from 'node:path';
import { saveModelOf } from '../../bench/split/comparison';
import { analyzeModel } from '../../lib/compile/analyze';
import { splitModel } from '../../lib/split/rewrite';
import { type Splittable, splitInto, waysToSplit } from '../../lib/split/splittable';
import type { SplitAxis } from '../../lib/split/split';
import { type ModelInit, saveModel, temporaryFolder } from './model-builder';

/** How the last operator of a small model can be split. */
export function waysOf(init: ModelInit): readonly Splittable[] | string {
  const { subject } = analyzeModel(saveModel(init)).splitting;
  const { nodes } = subject.model.graph;
  return waysToSplit(subject, nodes[nodes.length - 1]);
}

/** Saves a model and the same model with every operator that has these columns, channels or rows in parts. @returns both paths */
export function savedSplit(
  init: ModelInit,
  count: number,
  axis?: SplitAxis,
): { whole: string; parts: string; nodes: string[] } {
  const whole = saveModel(init);
  const { subject } = analyzeModel(whole).splitting;
  const splits = subject.model.graph.nodes.flatMap((node) => {
    const ways = waysToSplit(subject, node);
    if (typeof ways === 'string') return [];
    const way = axis === undefined ? ways[0] : ways.find((each) => each.axis === axis);
    return way === undefined ? [] : [splitInto(way, count)];
  });
  const { model } = splitModel(subject, splits);
  const parts = path.join(temporaryFolder(), 'parts.onnx');
  saveModelOf(model, parts);
  return { whole, parts, nodes: model.graph.nodes.map(({ opType }) => opType) };
}
