/** Links a graph: replaces names by indexes into one table of values. */
import { SlicedInferenceError, quoted } from '../errors';
import { damaged } from './local-functions';
import { MAX_GRAPH_ENTRIES } from './limits';
import {
  type Chunk,
  type DeclaredType,
  type Graph,
  type GraphInput,
  type GraphOutput,
  type Initializer,
  type Node,
  type Value,
  type ValueIndex,
  OMITTED,
  nodeLabel,
} from './model';
import type { ParsedNode } from './parse-node';
import { WireError } from './wire';

interface Declared {
  readonly name: string;
  readonly type: DeclaredType;
  readonly field: Chunk;
}

/** A node that refers to values by their names. */
export interface UnlinkedNode {
  readonly parsed: ParsedNode;
  readonly field: Chunk;
}

export interface ParsedGraph extends Pick<Graph, 'name' | 'valueInfos' | 'metadata'> {
  readonly nodes: readonly UnlinkedNode[];
  readonly initializers: readonly UnlinkedInitializer[];
  readonly inputs: readonly Declared[];
  readonly outputs: readonly Declared[];
}

export type UnlinkedInitializer = Omit<Initializer, 'value'>;

export function linkGraph(parsed: ParsedGraph): Graph {
  return new Linker(parsed).link();
}

/** The parts of which the graph was linked, to link it again with other nodes. */
export function unlinkGraph({ values, nodes, initializers, inputs, outputs, ...rest }: Graph): ParsedGraph {
  const nameOf = (value: ValueIndex): string => (value === OMITTED ? '' : values[value].name);
  const declared = ({ value, ...type }: GraphInput): Declared => ({ name: values[value].name, ...type });
  return {
    ...rest,
    nodes: nodes.map(({ field, captures, ...node }): UnlinkedNode => ({
      parsed: {
        ...node,
        inputs: node.inputs.map(nameOf),
        outputs: node.outputs.map(nameOf),
        freeNames: new Set(captures.map(nameOf)),
        hasExternal: node.pieces !== undefined,
      },
      field,
    })),
    initializers: initializers.map(({ value, tensor, field }) => ({
      tensor: { ...tensor, name: values[value].name },
      field,
    })),
    inputs: inputs.map(declared),
    outputs: outputs.map(declared),
  };
}

class Linker {
  private readonly indexByName = new Map<string, ValueIndex>();
  private readonly values: { -readonly [Key in keyof Value]: Value[Key] }[] = [];

  constructor(private readonly parsed: ParsedGraph) {}

  link(): Graph {
    const { name, valueInfos, metadata } = this.parsed;
    const initializers = this.parsed.initializers.map((initializer, index): Initializer => {
      const value = this.valueOf(initializer.tensor.name);
      if (this.values[value].initializer !== undefined)
        throw duplicate('initializer', initializer.tensor.name, 'two initializers');
      this.values[value].initializer = index;
      return { value, ...initializer };
    });
    const inputs = this.parsed.inputs.map(({ name: input, type, field }, index): GraphInput => {
      const value = this.valueOf(input);
      if (this.values[value].input !== undefined) throw duplicate('input', input, 'two inputs');
      this.values[value].input = index;
      return { value, type, field };
    });
    const outputs = new Set<string>();
    for (const { name: output } of this.parsed.outputs) {
      if (outputs.has(output)) throw duplicate('output', output, 'two entries in the list of outputs');
      outputs.add(output);
    }
    this.parsed.nodes.forEach(({ parsed }, index) => {
      for (const output of parsed.outputs) if (output !== '') this.define(output, index);
    });
    return {
      name,
      values: this.values,
      nodes: this.parsed.nodes.map((_, index) => this.node(index)),
      initializers,
      inputs,
      outputs: this.parsed.outputs.map((output) => this.output(output)),
      valueInfos,
      metadata,
    };
  }

  private define(name: string, node: number): void {
    const value = this.valueOf(name);
    const { producer, input, initializer } = this.values[value];
    if (producer !== undefined || input !== undefined || initializer !== undefined) {
      const first =
        producer !== undefined ? this.label(producer) : input !== undefined ? 'an input' : 'an initializer';
      throw duplicate('value', name, `${first} and ${this.label(node)}`);
    }
    this.values[value].producer = node;
  }

  private node(index: number): Node {
    const { parsed, field } = this.parsed.nodes[index];
    const { inputs, outputs, freeNames, ...rest } = parsed;
    return {
      ...rest,
      // A node that was unlinked still has its earlier index.
      index,
      inputs: inputs.map((input) => this.use(input, index)),
      outputs: outputs.map((output) => (output === '' ? OMITTED : this.valueOf(output))),
      captures: [...freeNames].map((capture) => this.use(capture, index)),
      field,
    };
  }

  private output({ name, type, field }: Declared): GraphOutput {
    const value = this.indexByName.get(name);
    if (value !== undefined) return { value, type, field };
    const must = 'must be the output of a node, an input or an initializer';
    throw damaged(`output ${quoted(name)} of the graph ${must}`, 'a name that nothing defines');
  }

  private use(name: string, user: number): ValueIndex {
    if (name === '') return OMITTED;
    const value = this.indexByName.get(name);
    if (value !== undefined) return value;
    throw damaged(`${this.label(user)} must use values that the graph defines`, quoted(name));
  }

  private valueOf(name: string): ValueIndex {
    if (name === '') throw new WireError('an input, initializer or output has no name', false);
    const known = this.indexByName.get(name);
    if (known !== undefined) return known;
    const index = this.values.push({ name }) - 1;
    checkCount(this.values.length, 'values');
    this.indexByName.set(name, index);
    return index;
  }

  private label(index: number): string {
    return nodeLabel({ ...this.parsed.nodes[index].parsed, index });
  }
}

export function checkCount(count: number, what: string): void {
  if (count <= MAX_GRAPH_ENTRIES) return;
  throw new SlicedInferenceError(
    `the graph must have at most ${MAX_GRAPH_ENTRIES} ${what}`,
    'more',
    'split the model',
  );
}

function duplicate(kind: string, name: string, definitions: string): SlicedInferenceError {
  return new SlicedInferenceError(
    `${kind} ${quoted(name)} of the graph must be defined once`,
    definitions,
    'delete the one that is not meant, or export the model again',
  );
}
