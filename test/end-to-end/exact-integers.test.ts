/**
 * Integer operators beside exact integers: on this processor, and with the kernels of a processor that has AVX2 and no VNNI, as those of Lambda,
 * under QEMU. `npm run bench:integers` prints the table.
 */
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { KINDS } from '../../bench/integers/cases';
import { type Measured, measureKind } from '../../bench/integers/measure';
import { SATURATING, saturatingOperator } from '../../lib/saturation/operators';
import { cases } from '../support/full-checks';
import { temporaryFolder } from '../support/temporary-folder';

type Row = Measured & { readonly name: string; readonly operator: string };

const EMULATOR = 'qemu-x86_64-static';
/** Has AVX2 and FMA, and neither AVX-512 nor VNNI. */
const PROCESSOR = 'Haswell';

const isWrong = ({ asGiven = 0 }: Row): boolean => asGiven > 0;
const labelOf = ({ name, activations, weights }: Row): string => `${name}, ${activations} by ${weights}`;

/** Whether the library takes this pair of types for one that saturates. */
function isKnown({ operator, activations, weights }: Row): boolean {
  const wrong = saturatingOperator(operator)?.wrong;
  return wrong?.activations === activations && wrong.weights === weights;
}

async function measuredHere(): Promise<Row[]> {
  const settings = { seed: 1, cases: cases(4, 24), folder: temporaryFolder() };
  const rows: Row[] = [];
  for (const [name, kind] of Object.entries(KINDS))
    for (const row of await measureKind(kind, settings)) rows.push({ name, operator: kind.operator, ...row });
  return rows;
}

/** Why the kernels of AVX2 cannot run here, or `undefined`. */
function missing(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'Linux on x64';
  return spawnSync(EMULATOR, ['--version']).status === 0 ? undefined : 'qemu-user-static';
}

function measuredByEmulation(): Row[] {
  const program = path.join(__dirname, '../../dist/bench/integers/main.js');
  const args = ['-cpu', PROCESSOR, process.execPath, program, '--json', '--cases', String(cases(2, 12))];
  const { status, stdout, stderr } = spawnSync(EMULATOR, args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Row[];
}

it('all operators of the library are measured', () => {
  const measured = new Set(Object.values(KINDS).map(({ operator }) => operator));
  expect([...measured].sort()).toEqual(Object.keys(SATURATING).sort());
});

it('rewritten operators are exact on this processor, and have the bits of those that were exact before', async () => {
  const rows = await measuredHere();
  expect(rows.filter(({ rewritten = 0 }) => rewritten > 0).map(labelOf)).toEqual([]);
  expect(rows.filter((row) => isWrong(row) && !isKnown(row)).map(labelOf)).toEqual([]);
  expect(rows.filter((row) => row.rewrittenCases > 0 !== isKnown(row)).map(labelOf)).toEqual([]);
  const isExactProcessor = !rows.some(isWrong);
  expect(rows.filter((row) => isExactProcessor && row.changesBits).map(labelOf)).toEqual([]);
});

const needed = missing();
const withEmulator = needed === undefined ? it : it.skip;
const condition = needed === undefined ? '' : ` (skipped: needs ${needed})`;

withEmulator(
  `with AVX2 and without VNNI, exactly the operators of the table are wrong, and none is after the rewriting${condition}`,
  () => {
    const rows = measuredByEmulation();
    const saturating = rows.filter(isKnown);
    const wrong = rows.filter(isWrong);
    expect(wrong.filter((row) => !isKnown(row)).map(labelOf)).toEqual([]);
    // Of a convolution by channel, another kernel is exact.
    const exact = saturating.filter((row) => !isWrong(row)).map(({ name }) => name);
    expect(exact.filter((name) => !name.startsWith('QLinearConv by channel'))).toEqual([]);
    expect(rows.filter(({ rewritten = 0 }) => rewritten > 0).map(labelOf)).toEqual([]);
  },
);
