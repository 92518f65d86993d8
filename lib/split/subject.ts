/** What is known of a model whose operators are to be split. */
import type { Model, Node } from '../onnx/model';
import type { NodeAttribute } from '../onnx/node-attributes';
import type { ValueTypes } from '../shapes/value-types';

/** Of a node, by name: see `nodeAttributes`. */
export type Attributes = ReadonlyMap<string, NodeAttribute>;

export interface SplitSubject {
  readonly model: Model;
  readonly types: ValueTypes;
  attributes(node: Node): Attributes;
}
