/** A profile, a public, versioned file that users commit; `docs/profile.md` describes its fields. */
import type { OptimizationLevel } from '../../optimize/level';
import { type Graph, OMITTED } from '../../onnx/model';
import type { ValueTypes } from '../../shapes/value-types';
import type { KernelSpeeds } from '../kernel-class';

export const PROFILE_VERSION = 2;

/** Times are in seconds and sizes in bytes. */
export interface ModelProfile {
  readonly version: typeof PROFILE_VERSION;
  /** Version of the library that measured. */
  readonly library: string;
  readonly onnxRuntime: string;
  /** How far ONNX Runtime had optimized the whole model before it was measured. */
  readonly graphOptimization: OptimizationLevel;
  readonly model: NamedModel;
  /** The sizes that the symbolic dimensions of the inputs had. */
  readonly dimensions: Readonly<Record<string, number>>;
  readonly machine: ProfiledMachine;
  /** Number of measured runs of each slice, without the first run. */
  readonly runs: number;
  /** By node of the graph that is cut; `null` if ONNX Runtime does not run the node, for example a `Constant`. */
  readonly nodes: readonly (ProfiledNode | null)[];
}

/** The model of a profile or a plan, by which they are compared with another one. */
export interface NamedModel {
  /** File name without folder. */
  readonly file: string;
  /** Number of nodes of the graph that is cut. */
  readonly nodes: number;
  /** See `graphDigest`. Profiles and plans fit every model whose graph has this digest. */
  readonly graphDigest: string;
}

/** The machine that measured, and how fast it is, so that times can be scaled to another processor. */
export interface ProfiledMachine {
  readonly processor: string;
  /** As Node.js names it, such as `x64`. */
  readonly architecture: string;
  /** Threads of ONNX Runtime. */
  readonly threads: number;
  /** Of one thread. */
  readonly speeds: KernelSpeeds;
  /** A call of ONNX Runtime that computes nothing. The times of nodes do not contain it. */
  readonly callSeconds: number;
}

export interface ProfiledNode {
  /** Median of the shorter half of the times, bodies included. */
  readonly seconds: number;
  /** By output of the node: the tensor that it was; `null` for an omitted output and for what is not a tensor. */
  readonly outputs: readonly (ProfiledTensor | null)[];
}

export interface ProfiledTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
}

/**
 * The types with the shapes that the values had when the model was profiled. Where the profile has none, `types` stay.
 *
 * @param graph of the profile, by its digest
 */
export function profiledTypes(graph: Graph, { nodes }: ModelProfile, types: ValueTypes): ValueTypes {
  const merged = [...types];
  for (const { index, outputs } of graph.nodes) {
    const node = nodes[index];
    if (node === null) continue;
    outputs.forEach((value, place) => {
      const tensor = node.outputs.at(place);
      if (value === OMITTED || tensor === null || tensor === undefined) return;
      merged[value] = { dtype: tensor.dtype, shape: tensor.shape };
    });
  }
  return merged;
}

export function profileText(profile: ModelProfile): string {
  const fields = Object.entries(profile).map(([name, value]) => {
    const own = Array.isArray(value) ? listText(value) : JSON.stringify(value);
    return `  ${JSON.stringify(name)}: ${own}`;
  });
  return `{\n${fields.join(',\n')}\n}\n`;
}

function listText(list: readonly unknown[]): string {
  return list.length === 0
    ? '[]'
    : `[\n${list.map((item) => `    ${JSON.stringify(item)}`).join(',\n')}\n  ]`;
}
