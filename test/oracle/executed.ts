/**
 * Counts the bytes of all tensors of a model in a run of ONNX Runtime, and which of them slices must pass on. It knows nodes by the names of their
 * inputs and outputs alone.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { encodeModel, value, type ModelInit, type NodeInit } from '../support/model-builder';

export interface Executed {
  readonly nodes: readonly NodeInit[];
  /** By name of a value that depends on the request. */
  readonly bytes: ReadonlyMap<string, number>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

interface Feed {
  readonly name: string;
  readonly dims: readonly number[];
}

const namesOf = (list: readonly object[]): string[] => list.map((each) => (each as { name: string }).name);

/** Runs the model with every value of its graph as an output, without optimization. All inputs are float32. */
export async function executed(init: ModelInit, feeds: readonly Feed[]): Promise<Executed> {
  const { node, output } = init.graph;
  const inner = node.flatMap((each) => each.output).filter((name) => !namesOf(output).includes(name));
  const graph = { ...init.graph, output: [...output, ...inner.map((name) => value(name))] };
  const session = await InferenceSession.create(encodeModel({ ...init, graph }), {
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 3,
  });
  const tensors = feeds.map(({ name, dims }) => {
    const count = dims.reduce((product, size) => product * size, 1);
    return [name, new Tensor('float32', new Float32Array(count).fill(0.5), dims)] as const;
  });
  const results = await session.run(Object.fromEntries(tensors));
  await session.release();
  const bytes = [...tensors, ...Object.entries(results)].map(
    ([name, { data }]) => [name, (data as Float32Array).byteLength] as const,
  );
  return {
    nodes: node,
    bytes: new Map(bytes),
    inputs: feeds.map(({ name }) => name),
    outputs: namesOf(output),
  };
}

/** What slices read and write, if each node of `groups` runs in its slice, and all others in every slice that needs their results. */
export class Slices {
  private readonly producer: ReadonlyMap<string, number>;
  private readonly sliceOf: ReadonlyMap<number, number>;

  /** @param groups by slice: indexes of nodes */
  constructor(
    private readonly model: Executed,
    private readonly groups: readonly (readonly number[])[],
  ) {
    this.producer = new Map(model.nodes.flatMap(({ output }, index) => output.map((name) => [name, index])));
    this.sliceOf = new Map(groups.flatMap((nodes, slice) => nodes.map((index) => [index, slice])));
  }

  readBytes(slice: number): number {
    const isLast = slice === this.groups.length - 1;
    const read = this.neededBy(slice);
    for (const name of isLast ? this.model.outputs : []) if (this.comesFrom(name) !== slice) read.add(name);
    return this.sum(read);
  }

  writeBytes(slice: number): number {
    const { outputs } = this.model;
    const wanted = new Set([...outputs, ...this.groups.flatMap((_, other) => [...this.neededBy(other)])]);
    // The last slice writes all results, also those of other slices.
    const results = new Set(slice === this.groups.length - 1 ? outputs : []);
    return this.sum([...wanted].filter((name) => this.comesFrom(name) === slice || results.has(name)));
  }

  /** Of slices before a cut, needed by nodes after it. @param cut the first slice after the cut */
  crossingBytes(cut: number): number {
    const later = this.groups.slice(cut).flatMap((_, index) => [...this.neededBy(cut + index)]);
    return this.sum(
      [...new Set(later)].filter((name) => {
        const from = this.comesFrom(name);
        return from !== undefined && from < cut;
      }),
    );
  }

  /** Values from outside that a slice's nodes need, also by nodes that it computes again. */
  private neededBy(slice: number): Set<string> {
    const found = new Set<string>();
    const pending = this.groups[slice].flatMap((index) => this.model.nodes[index].input);
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      const index = this.producer.get(name);
      if (index === undefined) {
        if (this.model.inputs.includes(name)) found.add(name);
      } else if (!this.sliceOf.has(index)) pending.push(...this.model.nodes[index].input);
      else if (this.sliceOf.get(index) !== slice) found.add(name);
    }
    return found;
  }

  private comesFrom(name: string): number | undefined {
    return this.sliceOf.get(this.producer.get(name) ?? -1);
  }

  private sum(names: Iterable<string>): number {
    return [...names].reduce((sum, name) => sum + (this.model.bytes.get(name) ?? NaN), 0);
  }
}
