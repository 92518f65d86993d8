/** Everything that is known of a model before it is cut: data flow, types, sizes and legal cuts. */
import { SlicedInferenceError, quoted } from './errors';
import { isBindable } from './onnx/data-type';
import { calledFunctions } from './onnx/local-functions';
import type { Model, ValueIndex } from './onnx/model';
import { nodeLabel } from './onnx/model';
import { parseModel } from './onnx/parse';
import type { CutSpace } from './plan/cuts';
import { findCuts } from './plan/cuts';
import type { Dataflow } from './plan/graph';
import { analyseDataflow } from './plan/graph';
import { inferTypes } from './shapes/infer';
import type { DimensionSizes, ValueTypes } from './shapes/value-types';
import { plannedBytes, symbolicDimensions } from './shapes/value-types';

export interface AnalysedModel {
  readonly model: Model;
  readonly dataflow: Dataflow;
  /** Types with symbolic dimensions by name. */
  readonly types: ValueTypes;
  readonly cuts: CutSpace;
  readonly dimensions: DimensionSizes;
}

/**
 * @param dimensions sizes to plan symbolic dimensions with, by name; 1 for those left out
 * @throws SlicedInferenceError for a model that cannot be read, run or cut exactly, and for unknown dimensions
 */
export function analyseModel(modelPath: string, dimensions: DimensionSizes = {}): AnalysedModel {
  const model = parseModel(modelPath);
  checkDimensions(model, dimensions);
  const dataflow = analyseDataflow(model);
  checkExternalAttributes(model);
  const nodesInOrder = [...dataflow.rank.keys()].sort((a, b) => dataflow.rank[a] - dataflow.rank[b]);
  const types = inferTypes(model, nodesInOrder, {});
  const plannedTypes =
    Object.keys(dimensions).length === 0 ? types : inferTypes(model, nodesInOrder, dimensions);
  checkSignature(model, types);
  const cuts = findCuts(dataflow, types, plannedBytes(plannedTypes, dimensions));
  return { model, dataflow, types, cuts, dimensions };
}

function checkDimensions(model: Model, dimensions: DimensionSizes): void {
  const known = symbolicDimensions(model.graph);
  for (const [name, size] of Object.entries(dimensions)) {
    if (!known.includes(name)) {
      throw new SlicedInferenceError(
        `a dimension must be a symbolic one of the model's inputs (${known.join(', ') || 'it has none'})`,
        quoted(name),
        'use one of these names',
      );
    }
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new SlicedInferenceError(
        `the size of dimension ${quoted(name)} must be a whole number of 1 or more`,
        String(size),
        'give the size that requests will have',
      );
    }
  }
}

function checkExternalAttributes(model: Model): void {
  const nodes = model.graph.nodes;
  const holders = [
    ...nodes.map((node) => ({ label: nodeLabel(node), tensor: node.externalAttribute })),
    ...calledFunctions(model, nodes).map((fn) => ({
      label: `function '${fn.name}'`,
      tensor: fn.externalAttribute,
    })),
  ];
  const holder = holders.find(({ tensor }) => tensor !== undefined);
  if (holder?.tensor === undefined) return;
  throw new SlicedInferenceError(
    `${holder.label} must hold the tensors of its attributes and body graphs itself`,
    `external data for ${quoted(holder.tensor)}`,
    'store that tensor inside the model',
  );
}

function checkSignature(model: Model, types: ValueTypes): void {
  const { graph } = model;
  const check = (kind: string, value: ValueIndex): void => {
    const { dtype } = types[value];
    if (dtype !== undefined && isBindable(dtype)) return;
    throw new SlicedInferenceError(
      `${kind} ${quoted(graph.values[value].name)} must be a tensor that ONNX Runtime's JavaScript API can pass`,
      dtype ?? 'a sequence, map, optional or unknown type',
      'convert it inside the model',
    );
  };
  for (const { value } of graph.inputs)
    if (graph.values[value].initializer === undefined) check('input', value);
  for (const { value } of graph.outputs) check('output', value);
  if (graph.outputs.some(({ value }) => graph.values[value].producer !== undefined)) return;
  throw new SlicedInferenceError(
    'the model must compute something',
    graph.outputs.length === 0 ? 'a graph without outputs' : 'outputs that no node makes',
    'export the model again',
  );
}
