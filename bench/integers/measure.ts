/** Runs cases as they are and with rewritten weights, and counts how many values differ from the exact ones. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Session } from '../../lambda/slice/session';
import { typedView } from '../../lambda/tensors/tensor';
import { emitWhole } from '../../lib/emit/slice';
import { parseModel } from '../../lib/onnx/parse';
import { writeChunks } from '../../lib/onnx/write-chunks';
import { exactIntegers } from '../../lib/saturation/rewrite';
import { UNKNOWN_TYPE } from '../../lib/shapes/value-types';
import { Random } from '../split/random';
import { type ByteType, type IntegerCase, type Kind, integerCase } from './cases';

export interface Measured {
  readonly activations: ByteType;
  readonly weights: ByteType;
  /** Share of the values that are wrong, over all cases; absent if ONNX Runtime has no kernel for the types. */
  readonly asGiven?: number;
  /** The same after the rewriting. */
  readonly rewritten?: number;
  /** Whether any bit differs between both. */
  readonly changesBits: boolean;
  /** Cases of which a weight was rewritten. */
  readonly rewrittenCases: number;
}

interface Settings {
  readonly seed: number;
  readonly cases: number;
  readonly folder: string;
}

export async function measureKind(kind: Kind, settings: Settings): Promise<Measured[]> {
  const rows: Measured[] = [];
  for (const activations of kind.activations)
    for (const weights of ['uint8', 'int8'] as const)
      rows.push(await measure(kind, activations, weights, settings));
  return rows;
}

async function measure(
  kind: Kind,
  activations: ByteType,
  weights: ByteType,
  { seed, cases, folder }: Settings,
): Promise<Measured> {
  const wrong = { asGiven: 0, rewritten: 0 };
  let [values, changesBits, rewrittenCases] = [0, false, 0];
  for (let index = 0; index < cases; index++) {
    const subject = integerCase(kind, new Random(seed + index), [activations, weights]);
    const given = path.join(folder, 'given.onnx');
    fs.writeFileSync(given, subject.model);
    const isPacked = index % 2 === 0;
    const expected = await run(given, subject, isPacked);
    if (expected === undefined) return { activations, weights, changesBits, rewrittenCases };
    const rewritten = rewrite(given, subject, folder);
    const got = rewritten === undefined ? expected : await run(rewritten, subject, isPacked);
    if (got === undefined)
      throw new Error(`ONNX Runtime must have a kernel for rewritten weights of ${kind.operator}`);
    if (rewritten !== undefined) rewrittenCases++;
    const [before, after] = [wrongValues(expected, subject), wrongValues(got, subject)];
    wrong.asGiven += before;
    wrong.rewritten += after;
    values += expected.length;
    if (Buffer.compare(bytesOf(expected), bytesOf(got)) !== 0) changesBits = true;
  }
  const share = (count: number): number => count / values;
  return {
    ...{ activations, weights, asGiven: share(wrong.asGiven), rewritten: share(wrong.rewritten) },
    ...{ changesBits, rewrittenCases },
  };
}

/** @returns the path of the rewritten model, if the library rewrites it */
function rewrite(given: string, { types }: IntegerCase, folder: string): string | undefined {
  const model = parseModel(given);
  const known = model.graph.values.map(({ name }) => types[name] ?? UNKNOWN_TYPE);
  const { model: exact, saturation } = exactIntegers(model, known);
  if (saturation.weights === 0) return undefined;
  const file = path.join(folder, 'rewritten.onnx');
  const chunks = emitWhole(exact, 'rewritten.weights');
  for (const [name, content] of [
    ['rewritten.onnx', chunks.model],
    ['rewritten.weights', chunks.weights],
  ] as const) {
    fs.rmSync(path.join(folder, name), { force: true });
    if (content.length > 0) writeChunks(exact.files, content, path.join(folder, name));
  }
  return file;
}

type Elements = ReturnType<typeof typedView>;

/** @returns `undefined` if ONNX Runtime has no kernel for the types */
async function run(path: string, { x }: IntegerCase, prepacking: boolean): Promise<Elements | undefined> {
  const session = await Session.open({ path, threads: 1, prepacking }).catch((error: unknown) => {
    if (/NOT_IMPLEMENTED|Could not find an implementation|Invalid model|INVALID_GRAPH/.test(String(error)))
      return undefined;
    throw error;
  });
  try {
    const y = (await session?.run(new Map([['x', x]]), ['y']))?.get('y');
    return y === undefined || y.dtype === 'string' ? undefined : typedView(y);
  } finally {
    await session?.release();
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Elements): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function wrongValues(got: Elements, { exact, tolerance }: IntegerCase): number {
  let count = 0;
  for (let index = 0; index < got.length; index++)
    if (!(Math.abs(Number(got[index]) - exact[index]) <= tolerance)) count++;
  return count;
}
