/** Models with independent parts, whose slices can run in parallel. */
import { nodesOf } from './graph-text';
import { float32 } from './tensors';
import { type GraphInit, type NodeInit, type TensorInit, FLOAT, floats, node, value } from './model-builder';

export const WIDTH = 64;

/** A chain of `layers` matrix products, each with a Tanh, from `input` to `output`. */
export function tower(
  name: string,
  layers: number,
  input: string,
  output: string,
): { nodes: NodeInit[]; weights: TensorInit[] } {
  const all = Array.from({ length: layers }, (_, layer) => layer);
  const result = (layer: number): string =>
    layer < 0 ? input : layer === layers - 1 ? output : `${name}${layer}`;
  const nodes = all.flatMap((at) =>
    nodesOf(
      `MatMul ${result(at - 1)} w_${name}${at} > ${result(at)}_m; Tanh ${result(at)}_m > ${result(at)}`,
    ),
  );
  return { nodes, weights: all.map((layer) => floats(`w_${name}${layer}`, [WIDTH, WIDTH])) };
}

/** An input of a tower. */
export function row(seed: number) {
  const values = Array.from({ length: WIDTH }, (_, at) => Math.sin(at * seed + 1));
  return float32([1, WIDTH], values);
}

/** The inputs of two towers. */
export const twoRows = () => new Map(['text', 'image'].map((name, at) => [name, row(at + 1)] as const));

/** Takes one node of each list in turn, as exporters that order nodes by depth do. */
export function interleaved(lists: readonly (readonly NodeInit[])[]): NodeInit[] {
  const longest = Math.max(...lists.map((list) => list.length));
  const places = Array.from({ length: longest }, (_, place) => place);
  return places.flatMap((place) => lists.flatMap((list) => list.slice(place, place + 1)));
}

/** Five slices of it are scheduled as `(0 1 | 2 3) 4`. @param rows of both inputs: a name makes them symbolic */
export function twoTowers(rows: number | string = 1): GraphInit {
  const [text, image] = [tower('t', 4, 'text', 'text_out'), tower('i', 4, 'image', 'image_out')];
  const head = tower('h', 1, 'joined', 'y');
  return {
    node: [
      ...interleaved([text.nodes, image.nodes]),
      node('Mul', ['text_out', 'image_out'], ['joined']),
      ...head.nodes,
    ],
    initializer: [...text.weights, ...image.weights, ...head.weights],
    input: ['text', 'image'].map((name) => value(name, FLOAT, [rows, WIDTH])),
    output: [value('y', FLOAT)],
  };
}

/** A stem, `branches` towers that read its result, and the sum of the towers. */
export function ensemble(branches: number): GraphInit {
  const stem = tower('s', 2, 'x', 'shared');
  const outputs = Array.from({ length: branches }, (_, index) => `out${index}`);
  const members = outputs.map((output, index) => tower(`m${index}_`, 2, 'shared', output));
  const all = interleaved(members.map(({ nodes }) => nodes));
  return {
    node: [...stem.nodes, ...all, node('Sum', outputs, ['y'])],
    initializer: [stem, ...members].flatMap(({ weights }) => weights),
    input: [value('x', FLOAT, [1, WIDTH])],
    output: [value('y', FLOAT)],
  };
}
