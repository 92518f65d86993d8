/** Reads `lambda-class-x86.tsv`. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ROOT } from '../harness';

const TABLE = path.join(ROOT, 'bench/times/lambda-class-x86.tsv');
const HEAD_LINES = 3;

/** A call of ONNX Runtime for Python, by the shortest rows of the table. */
const CALL_MS = 0.009;

export interface Row {
  readonly operator: string;
  readonly shape: string;
  readonly prepacking: boolean;
  /** Without the call. */
  readonly referenceMs: number;
}

export function tableRows(): Row[] {
  const lines = fs.readFileSync(TABLE, 'utf8').trim().split('\n').slice(HEAD_LINES);
  return lines.flatMap((line) => {
    const [operator, shape, plain, packed = ''] = line.split('\t');
    const row = (text: string, prepacking: boolean): Row => ({
      ...{ operator, shape, prepacking },
      referenceMs: Number(text) - CALL_MS,
    });
    // Operators without weights have one time.
    return packed === '' ? [row(plain, true)] : [row(plain, false), row(packed, true)];
  });
}
