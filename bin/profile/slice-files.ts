/** Cuts a model into slices that fit into memory one at a time, and writes them one at a time. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { AnalyzedModel } from '../../lib/compile/analyze';
import { compileAnalyzed } from '../../lib/compile/compile';
import type { CompiledModel } from '../../lib/emit/slice';
import { SlicedInferenceError } from '../../lib/errors';
import type { Graph } from '../../lib/onnx/model';
import { writeChunks } from '../../lib/onnx/write-chunks';
import { maxSliceSize } from '../../lib/plan/slicers';
import { type NodeLabels, labelNodes } from './label-nodes';

/** Weights of a slice. Larger slices need more memory, and smaller ones more processes. */
const SLICE_BYTES = 512 * 2 ** 20;

/** A slice on the disk. */
export interface WrittenSlice {
  /** Path of its graph. */
  readonly model: string;
  /** The nodes that it runs, those that other slices run too included. */
  readonly nodes: ReadonlySet<number>;
}

/** Cuts by the size of weights, into larger slices if a node of the model has more. */
export function cutBySize(analyzed: AnalyzedModel, bytes = SLICE_BYTES): CompiledModel {
  try {
    return compileAnalyzed(analyzed, maxSliceSize(bytes));
  } catch (error) {
    const { files } = analyzed.model;
    const all = files.reduce((sum, { size }) => sum + size, 0);
    // Results of constant nodes count as weights too, so the limit may exceed the size of the files.
    if (!(error instanceof SlicedInferenceError) || bytes > 64 * (all + SLICE_BYTES)) throw error;
    return cutBySize(analyzed, 2 * bytes);
  }
}

/**
 * Writes a slice into a folder, with labels as the names of its nodes.
 *
 * @param graph the graph that was cut
 */
export function writeLabeledSlice(
  { plan, files, slices }: CompiledModel,
  slice: number,
  folder: string,
  labels: NodeLabels,
  graph: Graph,
): WrittenSlice {
  const { model, weights } = plan.slices[slice];
  const unlabeled = path.join(folder, `unlabeled-${model.file}`);
  writeChunks(files, slices[slice].model, unlabeled);
  const nodes = new Set<number>();
  const producers = new Map(graph.values.map(({ name, producer }) => [name, producer]));
  const bytes = labelNodes(fs.readFileSync(unlabeled), labels, (value) => {
    const node = producers.get(value);
    if (node !== undefined) nodes.add(node);
    return node;
  });
  fs.rmSync(unlabeled);
  const target = path.join(folder, model.file);
  fs.writeFileSync(target, bytes);
  if (weights) writeChunks(files, slices[slice].weights, path.join(folder, weights.file));
  return { model: target, nodes };
}
