/** Collects the nodes and weights that take the place of operators. */
import { encodeNode, encodeTensor } from '../onnx/encode';
import { ONNX_INT64 } from '../onnx/data-type';
import type { UnlinkedInitializer, UnlinkedNode } from '../onnx/link-graph';
import type { Model, Node, TensorWithData } from '../onnx/model';

const NO_FIELD = new Uint8Array();

export type EncodedAttributes = ReadonlyMap<string, { readonly encoded: Uint8Array }>;

export class NewNodes {
  readonly nodes: UnlinkedNode[] = [];
  readonly initializers: UnlinkedInitializer[] = [];
  /** By the name that was asked for: the name that it has. Two parts with the same name are the same part. */
  private readonly known = new Map<string, string>();
  /** Those of values and of nodes, and of values in bodies: ONNX Runtime refuses a body that defines a name of the graph around it. */
  private readonly names: Set<string>;

  constructor({ graph, bodyNames }: Model) {
    const { values, nodes } = graph;
    this.names = new Set(bodyNames);
    for (const { name } of [...values, ...nodes]) this.names.add(name);
  }

  /** Adds a weight, unless it has it already. @returns its name */
  weight(tensor: TensorWithData): string {
    return this.once(tensor.name, (name) => {
      this.initializers.push({ tensor: { ...tensor, name }, field: NO_FIELD });
    });
  }

  /** A constant of int64. @returns its name */
  integers(values: readonly number[], isScalar = false): string {
    return this.once(isScalar ? `int64 ${values.join()}` : `int64[] ${values.join()}`, (name) => {
      const type = { dataType: ONNX_INT64, dims: isScalar ? [] : [values.length] };
      const data = new Uint8Array(new BigInt64Array(values.map(BigInt)).buffer);
      this.initializers.push({
        tensor: { name, ...type, byteLength: data.length, external: false },
        field: encodeTensor(name, type, data),
      });
    });
  }

  /** Adds a copy of a node that has other inputs and the output `output`, unless it has it already. @returns the output's name */
  copy(
    { name: original, opType, domain, ...node }: Node,
    inputs: readonly string[],
    output: string,
    attributes: EncodedAttributes,
  ): string {
    return this.once(output, (result) => {
      const name = original === '' ? '' : newName(this.names, `${original} for ${result}`);
      const { operators, heldBytes, sizeAttributes } = node;
      const encoded = [...attributes.values()].map((attribute) => attribute.encoded);
      this.nodes.push({
        parsed: {
          ...{ name, opType, domain, inputs, outputs: [result], operators, heldBytes, hasExternal: false },
          ...(sizeAttributes && { sizeAttributes }),
          freeNames: new Set(),
        },
        field: encodeNode(opType, inputs, [result], { domain, name, attributes: encoded }),
      });
    });
  }

  /** Adds a node of ai.onnx. @returns the name of its output */
  add(opType: string, inputs: readonly string[], output: string, ...attributes: Uint8Array[]): string {
    const name = newName(this.names, output);
    this.join(opType, inputs, name, ...attributes);
    return name;
  }

  /** Adds a node of ai.onnx whose output has a name that the model uses. */
  join(opType: string, inputs: readonly string[], output: string, ...attributes: Uint8Array[]): void {
    const operator = { domain: '', opType, overload: '', seeded: false, inputCount: inputs.length };
    const name = newName(this.names, `${opType} for ${output}`);
    this.nodes.push({
      parsed: {
        ...{ name, opType, domain: '', inputs, outputs: [output], operators: [operator] },
        ...{ heldBytes: 0, hasExternal: false, freeNames: new Set() },
      },
      field: encodeNode(opType, inputs, [output], { name, attributes }),
    });
  }

  private once(wanted: string, make: (name: string) => void): string {
    const known = this.known.get(wanted);
    if (known !== undefined) return known;
    const name = newName(this.names, wanted);
    this.known.set(wanted, name);
    make(name);
    return name;
  }
}

/** A name that is not yet among the names, to which it is added. */
export function newName(names: Set<string>, wanted: string): string {
  let name = wanted;
  while (names.has(name)) name = `${name}'`;
  names.add(name);
  return name;
}
