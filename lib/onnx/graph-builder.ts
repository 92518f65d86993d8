/** Builds a `Graph` from parsed fields: replaces names by indexes into one table of values. */
import { SlicedInferenceError, quoted } from '../errors';
import { MAX_GRAPH_ENTRIES } from './limits';
import {
  type SourceRange,
  type DeclaredType,
  type Graph,
  type GraphInput,
  type GraphOutput,
  type Initializer,
  type Node,
  type Piece,
  type QuantizationAnnotation,
  type Tensor,
  type Value,
  type ValueIndex,
  OMITTED,
  nodeLabel,
} from './model';
import type { ParsedNode } from './parse-node';
import { WireError } from './wire';

type MutableValue = { -readonly [Key in keyof Value]: Value[Key] };

export class GraphBuilder {
  name = '';
  private readonly indexByName = new Map<string, ValueIndex>();
  private readonly values: MutableValue[] = [];
  private readonly nodes: { parsed: ParsedNode; field: SourceRange; pieces: readonly Piece[] | undefined }[] =
    [];
  private readonly initializers: Initializer[] = [];
  private readonly inputs: GraphInput[] = [];
  private readonly outputs: { name: string; type: DeclaredType; field: SourceRange }[] = [];
  private readonly outputNames = new Set<string>();
  private readonly valueInfos: SourceRange[] = [];
  private readonly annotations: QuantizationAnnotation[] = [];
  private readonly metadata: SourceRange[] = [];

  addNode(parsed: ParsedNode, field: SourceRange, pieces?: readonly Piece[]): void {
    this.nodes.push({ parsed, field, pieces });
    this.checkCount(this.nodes.length, 'nodes');
  }

  addInitializer(tensor: Tensor, field: SourceRange, storage: 'dense' | 'sparse'): void {
    const value = this.valueOf(tensor.name);
    if (this.values[value].initializer !== undefined)
      throw duplicate('initializer', tensor.name, 'two initializers', 'loads');
    this.values[value].initializer = this.initializers.length;
    this.initializers.push({ value, tensor, field, sparse: storage === 'sparse' });
  }

  addInput(name: string, type: DeclaredType, field: SourceRange): void {
    const value = this.valueOf(name);
    if (this.values[value].input !== undefined) throw duplicate('input', name, 'two inputs', 'refused');
    this.values[value].input = this.inputs.length;
    this.inputs.push({ value, type, field });
  }

  addOutput(name: string, type: DeclaredType, field: SourceRange): void {
    if (this.outputNames.has(name))
      throw duplicate('output', name, 'two entries in the list of outputs', 'loads');
    this.outputNames.add(name);
    this.outputs.push({ name, type, field });
    this.checkCount(this.outputs.length, 'outputs');
  }

  addValueInfo(field: SourceRange): void {
    this.valueInfos.push(field);
    this.checkCount(this.valueInfos.length, 'value declarations');
  }

  addAnnotation(tensorName: string, field: SourceRange): void {
    this.annotations.push({ tensorName, field });
    this.checkCount(this.annotations.length, 'annotations');
  }

  addMetadata(field: SourceRange): void {
    this.metadata.push(field);
    this.checkCount(this.metadata.length, 'metadata entries');
  }

  build(): Graph {
    this.nodes.forEach(({ parsed }, index) => {
      for (const name of parsed.outputs) if (name !== '') this.define(name, index);
    });
    const nodes = this.nodes.map(({ parsed, field, pieces }, index) => ({
      ...this.link(parsed, index, field),
      ...(pieces && { pieces }),
    }));
    const outputs = this.outputs.map(({ name, type, field }): GraphOutput => {
      const value = this.indexByName.get(name);
      if (value !== undefined) return { value, type, field };
      throw new SlicedInferenceError(
        `output ${quoted(name)} of the graph must be the output of a node, an input or an initializer`,
        'a name that nothing defines',
        'the file is damaged; export the model again',
      );
    });
    const { name, values, initializers, inputs, valueInfos, annotations, metadata } = this;
    return { name, values, nodes, initializers, inputs, outputs, valueInfos, annotations, metadata };
  }

  private define(name: string, node: number): void {
    const value = this.valueOf(name);
    const { producer, input, initializer } = this.values[value];
    const label = (index: number): string => nodeLabel({ ...this.nodes[index].parsed, index });
    const isConstant = (index: number): boolean => this.nodes[index].parsed.opType === 'Constant';
    if (producer !== undefined || input !== undefined || initializer !== undefined) {
      const first =
        producer !== undefined ? label(producer) : input !== undefined ? 'an input' : 'an initializer';
      const loads = isConstant(node) && (producer === undefined || isConstant(producer));
      throw duplicate('value', name, `${first} and ${label(node)}`, loads ? 'loads' : 'refused');
    }
    this.values[value].producer = node;
  }

  private link(parsed: ParsedNode, index: number, field: SourceRange): Node {
    const { name, opType, domain, operators, sizeAttributes, constant, heldBytes, externalSparse } = parsed;
    const label = nodeLabel({ name, opType, index });
    return {
      index,
      name,
      opType,
      domain,
      inputs: parsed.inputs.map((input) => this.use(input, label)),
      outputs: parsed.outputs.map((output) => (output === '' ? OMITTED : this.valueOf(output))),
      captures: [...parsed.freeNames].map((capture) => this.use(capture, label)),
      operators,
      ...(sizeAttributes && { sizeAttributes }),
      ...(constant && { constant }),
      heldBytes,
      ...(externalSparse !== undefined && { externalSparse }),
      field,
    };
  }

  private use(name: string, user: string): ValueIndex {
    if (name === '') return OMITTED;
    const value = this.indexByName.get(name);
    if (value !== undefined) return value;
    throw new SlicedInferenceError(
      `${user} must use values that the graph defines`,
      quoted(name),
      'the file is damaged; export the model again',
    );
  }

  private valueOf(name: string): ValueIndex {
    if (name === '') throw new WireError('an input, initializer or output has no name', false);
    const known = this.indexByName.get(name);
    if (known !== undefined) return known;
    const index = this.values.push({ name }) - 1;
    this.checkCount(this.values.length, 'values');
    this.indexByName.set(name, index);
    return index;
  }

  private checkCount(count: number, what: string): void {
    if (count <= MAX_GRAPH_ENTRIES) return;
    throw new SlicedInferenceError(
      `the graph must have at most ${MAX_GRAPH_ENTRIES} ${what}`,
      'more',
      'split the model',
    );
  }
}

/** @param inOnnxRuntime whether ONNX Runtime loads such a model, with a warning */
function duplicate(
  kind: string,
  name: string,
  definitions: string,
  inOnnxRuntime: 'loads' | 'refused',
): SlicedInferenceError {
  return new SlicedInferenceError(
    `${kind} ${quoted(name)} of the graph must be defined once`,
    definitions,
    inOnnxRuntime === 'loads'
      ? 'ONNX Runtime takes one of the two and at most warns; delete the one that is not meant'
      : 'the file is damaged; export the model again',
  );
}
