/** Splits operators of small models, and runs the models whole and in parts. */
import * as path from 'node:path';
import { analyzeModel } from '../../lib/compile/analyze';
import { encodeModel } from '../../lib/onnx/encode-model';
import type { Model, Node } from '../../lib/onnx/model';
import { nodeAttributes } from '../../lib/onnx/node-attributes';
import { writeChunks } from '../../lib/onnx/write-chunks';
import { splitModel } from '../../lib/split/rewrite';
import { type Splittable, splitInto, waysToSplit } from '../../lib/split/splittable';
import type { SplitAxis } from '../../lib/split/split';
import { type ModelInit, saveModel, temporaryFolder } from './model-builder';

/** What is known of a saved model. */
function subjectOf(file: string) {
  const { model, types } = analyzeModel(file);
  const attributes = (node: Node) => nodeAttributes(model, node);
  return { model, types, attributes };
}

/** How the last operator of a small model can be split. */
export function waysOf(init: ModelInit): readonly Splittable[] | string {
  const subject = subjectOf(saveModel(init));
  return waysToSplit(subject, subject.model.graph.nodes[subject.model.graph.nodes.length - 1]);
}

/** Saves a model and the same model with every operator that has these columns, channels or rows in parts. @returns both paths */
export function savedSplit(
  init: ModelInit,
  count: number,
  axis?: SplitAxis,
): { whole: string; parts: string; nodes: string[] } {
  const whole = saveModel(init);
  const subject = subjectOf(whole);
  const splits = subject.model.graph.nodes.flatMap((node) => {
    const ways = waysToSplit(subject, node);
    if (typeof ways === 'string') return [];
    const way = axis === undefined ? ways[0] : ways.find((each) => each.axis === axis);
    return way === undefined ? [] : [splitInto(way, count)];
  });
  const { model: split } = splitModel(subject, splits);
  return { whole, parts: saved(split), nodes: split.graph.nodes.map(({ opType }) => opType) };
}

function saved(model: Model): string {
  const { graph } = model;
  const chunks = encodeModel(model, {
    nodes: graph.nodes,
    initializers: graph.initializers.map(({ value }) => value),
    declarations: [...graph.inputs, ...graph.outputs].map(({ field }) => field),
    functions: model.functions,
    metadata: [],
    placeWeight: () => undefined,
  });
  const file = path.join(temporaryFolder(), 'parts.onnx');
  writeChunks(model.files, chunks, file);
  return file;
}
