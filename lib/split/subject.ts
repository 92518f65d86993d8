/** What is known of a model whose operators are to be split. */
import type { Model, Node } from '../onnx/model';
import type { NodeAttribute } from '../onnx/node-attributes';
import type { ValueTypes } from '../shapes/value-types';

export interface SplitSubject {
  readonly model: Model;
  readonly types: ValueTypes;
  /** Reads the attributes of a node, see `nodeAttributes`. */
  attributes(node: Node): ReadonlyMap<string, NodeAttribute>;
}
