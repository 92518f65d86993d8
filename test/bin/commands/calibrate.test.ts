import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseConstants } from '../../../lib/cost/constants/constants-file';
import { valuesOf } from '../../../lib/cost/constants/constant';
import { ENVIRONMENT } from '../../../lib/cost/constants/defaults';
import { temporaryFolder } from '../../support/model-builder';
import { isLink, link } from '../../support/links-and-pipes';
import { refuse, succeed } from '../../support/run-cli';

const folder = temporaryFolder();

/** Two slices, run one after the other, in the form in which the local cloud prints them. */
function logOf(runs: number): string {
  const lines: string[] = [];
  for (let run = 0; run < runs; run++) {
    for (const slice of [0, 1]) {
      const call = {
        ...{ FunctionName: `slice-${slice}`, level: 'INFO', message: 'slice ran', run: `machine/${run}` },
        ...{ slice, startedAt: Date.UTC(2026, 10, 25) + run * 10_000 + slice * 200, cold: false },
        ...{ warmedUp: false, weightBytes: 1e6, loadMs: 0, readMs: 30, runMs: 50, writeMs: 40 },
        ...{ bytesRead: 12, bytesWritten: 40, peakMemoryBytes: 1e8, s3Gets: 1, requestId: `${run}-${slice}` },
      };
      lines.push(`slice-${slice}: ${JSON.stringify(call)}`);
      lines.push(
        `slice-${slice}: REPORT RequestId: ${run}-${slice}\tDuration: 122.00 ms\tBilled Duration: 122 ms\tMemory Size: 1769 MB`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

function saved(name: string, content: string): string {
  const file = path.join(folder, name);
  fs.writeFileSync(file, content);
  return file;
}

const LOG = saved('some.log', logOf(1));

describe('calibrate', () => {
  it('writes a file of constants that the library reads', async () => {
    const out = path.join(folder, 'environment.json');
    const printed = await succeed(['calibrate', saved('functions.log', logOf(6)), '--out', out]);
    const table = parseConstants(fs.readFileSync(out, 'utf8'), out, 'environment', ENVIRONMENT);

    // 200 ms between two starts, of which the call takes 120 ms and the runtime client 2 ms.
    expect(valuesOf(table).stepFunctions.express.find(([percent]) => percent === 50)).toEqual([50, 78]);
    expect(table.stepFunctions.express).toMatchObject({ known: 'replaced', date: '2026-11' });
    expect(printed).toContain('stepFunctions.express');
    expect(printed).toContain('not enough runs: 0 cold starts');
  });

  it('prints all constants and what it skipped as JSON, without a file', async () => {
    const log = saved('mixed.log', `${logOf(6)}hello\n{"message":"slice ran","slice":0.5}\n`);
    const report = JSON.parse(await succeed(['calibrate', log, '--json'])) as Record<string, unknown>;

    expect(report).toMatchObject({ calls: 12, reports: 12, skippedLines: 1, refusedLines: 1 });
  });

  it('keeps the defaults if a log has too few runs, however often it is passed', async () => {
    const log = saved('few.log', logOf(1));
    const out = link('few.json');
    const once = await succeed(['calibrate', log, '--out', out]);

    expect(once).toContain('2 calls');
    expect(once).toContain('at least 5 are needed');
    expect(await succeed(['calibrate', log, log, log, '--out', out])).toBe(once);
    expect(isLink(out)).toBe(true);
  });

  it('prints the commands that gather the logs', async () => {
    const arn = 'arn:aws:states:us-east-1:111122223333:stateMachine:Ocr';
    const printed = await succeed(['calibrate', '--print-commands', arn]);

    expect(printed).toContain(`STATE_MACHINE_ARN='${arn}'`);
    expect(printed).toContain('aws logs filter-log-events');
  });

  it.each([
    ['no log', [], 'got none'],
    ['a log without calls', [saved('empty.log', 'hello\n'), '--json'], '1 other lines'],
    ['a missing file', ['missing.log', '--json'], 'no such file'],
    ['no place for the result', [LOG], '--out'],
    ['an ARN with a quote', ['--print-commands', "arn:aws:states:x:1:stateMachine:a'; rm"], '--print-com'],
  ])('refuses %s with one line', async (_, args, expected) => {
    const problem = await refuse(['calibrate', ...args]);

    expect(problem.trim().split('\n')).toHaveLength(1);
    expect(problem).toContain(expected);
  });
});
