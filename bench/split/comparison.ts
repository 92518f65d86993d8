/** Compares an operator with its parts: whether ONNX Runtime computes the same bits, and whether the table of exact splits says so. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Session } from '../../lambda/slice/session';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { encodeModel } from '../../lib/onnx/encode-model';
import type { Model, Node } from '../../lib/onnx/model';
import { nodeAttributes } from '../../lib/onnx/node-attributes';
import { parseModel } from '../../lib/onnx/parse';
import { writeChunks } from '../../lib/onnx/write-chunks';
import { UNKNOWN_TYPE } from '../../lib/shapes/value-types';
import { splitModel } from '../../lib/split/rewrite';
import { rangesOf } from '../../lib/split/split';
import { type Splittable, mostParts, splitInto, threadsOf, waysToSplit } from '../../lib/split/splittable';
import type { Random } from './random';
import type { OperatorCase } from './random-operator';

export interface Comparison {
  readonly parts: readonly number[];
  /** Whether the table of exact splits says that these parts have the bits of the whole. */
  readonly isInside: boolean;
  readonly isIdentical: boolean;
}

/** Splits the operator in a random way and runs it whole and in parts. @param folder for the models; overwrites its files */
export async function compare(
  subject: OperatorCase,
  random: Random,
  { threads, folder }: { readonly threads: number; readonly folder: string },
): Promise<Comparison> {
  const whole = path.join(folder, 'whole.onnx');
  fs.writeFileSync(whole, subject.model);
  const model = parseModel(whole);
  const { nodes, values } = model.graph;
  const types = values.map(({ name }) => subject.types[name] ?? UNKNOWN_TYPE);
  const node = nodes.find(({ opType }) => subject.operator.endsWith(opType)) ?? nodes[0];
  const attributes = (each: Node) => nodeAttributes(model, each);
  const context = { model, types, attributes };
  const ways = waysToSplit(context, node);
  const way = typeof ways === 'string' ? undefined : ways.find(({ axis }) => axis === subject.axis);
  if (way !== undefined && way.length !== subject.length)
    throw new Error(`${subject.description} must have ${subject.length} ${subject.axis}, got ${way.length}`);
  const parts = randomParts(subject, way, random, threads);
  const { model: split } = splitModel(context, [{ node: node.index, axis: subject.axis, parts }]);
  const divided = path.join(folder, 'parts.onnx');
  saveModelOf(split, divided);
  const [expected, got] = [await run(whole, subject, threads), await run(divided, subject, threads)];
  const isInside = way !== undefined && threadsOf(way, parts) >= threads;
  return { parts, isInside, isIdentical: isSame(expected, got) };
}

/** Often parts of the table, even or with some of them joined; else parts of any length, at multiples of 16 or anywhere. */
function randomParts(
  { length, grain }: OperatorCase,
  way: Splittable | undefined,
  random: Random,
  threads: number,
): number[] {
  const most = way === undefined ? 1 : mostParts(way, threads);
  const isEven = way !== undefined && most > 1 && random.int(0, 3) > 0;
  const step = grain === 1 ? random.pick([1, Math.min(16, length - 1)]) : grain;
  const last = Math.floor((length - 1) / step);
  const ends = isEven
    ? rangesOf(splitInto(way, random.pick([most, random.int(2, most)])).parts).map(({ end }) => end)
    : Array.from({ length: random.int(1, 4) }, () => step * random.int(1, last));
  const some = isEven && random.pick([true, false]) ? ends.filter(() => random.int(0, 2) > 0) : ends;
  const kept = some.some((end) => end < length) ? some : ends;
  const bounds = [...new Set([0, ...kept.filter((end) => end < length), length])].sort((a, b) => a - b);
  return bounds.slice(1).map((end, index) => end - bounds[index]);
}

export function saveModelOf(model: Model, file: string): void {
  const { graph } = model;
  const chunks = encodeModel(model, {
    ...{ nodes: graph.nodes, initializers: graph.initializers.map(({ value }) => value) },
    declarations: [...graph.inputs, ...graph.outputs].map(({ field }) => field),
    ...{ functions: model.functions, metadata: [], placeWeight: () => undefined },
  });
  fs.rmSync(file, { force: true });
  writeChunks(model.files, chunks, file);
}

async function run(file: string, { x }: OperatorCase, threads: number): Promise<RawTensor | undefined> {
  const session = await Session.open({ path: file, threads });
  try {
    return (await session.run(new Map([['x', x]]), ['y'])).get('y');
  } finally {
    await session.release();
  }
}

function isSame(expected: RawTensor | undefined, got: RawTensor | undefined): boolean {
  if (expected === undefined || got === undefined || !('bytes' in expected) || !('bytes' in got))
    return false;
  return expected.shape.join() === got.shape.join() && Buffer.compare(expected.bytes, got.bytes) === 0;
}
