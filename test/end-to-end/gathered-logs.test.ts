/** The commands that the command line prints gather everything that a bill needs. */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { gatherCommands } from '../../bin/logs/gather-commands';
import { collectLogs } from '../../bin/logs/collect';
import type { BilledRuns } from '../../lib/cost/bill';
import { Consolidation, Slicing } from '../../lib';
import type { LocalCloud } from '../../local';
import { deploy, requestOf, rows, succeeded } from '../support/deployed-pipeline';
import { mlp, saveModel } from '../support/model-builder';
import { succeed } from '../support/run-cli';
import { temporaryFolder } from '../support/temporary-folder';
import { until } from '../support/until';

const ARN = 'arn:aws:states:us-east-1:111122223333:stateMachine:Ocr';

let cloud: LocalCloud;
/** With the files that the commands write. */
const folder = temporaryFolder();

beforeAll(async () => {
  cloud = await deploy(saveModel(mlp(4)), {
    slicing: Slicing.count(3),
    consolidation: Consolidation.ALWAYS,
    dimensions: { batch: 1 },
  });
  for (const seed of [1, 2]) {
    succeeded(await cloud.execute(requestOf(rows(1, seed))));
    await cloud.asynchronousCalls();
  }
  await until('each call has its report', () => {
    const { calls } = collectLogs([...cloud.logs().values()]);
    return calls.every(({ report }) => report !== undefined);
  });
  await gather();
});

/** Runs the printed commands up to those of this package. */
async function gather(): Promise<void> {
  const messages = [...cloud.logs()].map(([name, text]) => [name, text.split('\n')]);
  fs.writeFileSync(path.join(folder, 'aws.json'), JSON.stringify(Object.fromEntries(messages)));
  const aws = `#!/bin/sh\nexec '${process.execPath}' '${path.join(__dirname, '../support/aws-logs-cli.cjs')}' "$@"\n`;
  fs.mkdirSync(path.join(folder, 'programs'));
  fs.writeFileSync(path.join(folder, 'programs/aws'), aws, { mode: 0o755 });
  const [commands] = gatherCommands(ARN).split('# 4.');
  await promisify(execFile)('sh', ['-euc', commands], {
    cwd: folder,
    env: {
      PATH: `${path.join(folder, 'programs')}:${process.env.PATH}`,
      AWS_LOGS: path.join(folder, 'aws.json'),
    },
  });
}

function gathered(): string[] {
  return fs.readdirSync(folder).filter((name) => name.startsWith('calibration-'));
}

it('write one file for the log group that all functions share', () => {
  expect(cloud.logs().size).toBe(4);
  expect(gathered()).toEqual(['calibration-aws-lambda-Test-PipelineSliceLogs.json']);
});

it('gather logs with the same bill as the whole logs, also for the whole model', async () => {
  const whole = path.join(folder, 'functions.log');
  fs.writeFileSync(whole, [...cloud.logs().values()].join(''));
  const billOf = async (file: string) =>
    JSON.parse(await succeed(['cost', file, '--json'])) as BilledRuns & { readonly skippedLines: number };
  const { skippedLines: unfiltered, ...expected } = await billOf(whole);
  const { skippedLines: filtered, ...bill } = await billOf(path.join(folder, gathered()[0]));
  expect(bill).toEqual(expected);
  expect(bill.slices).toContainEqual(expect.objectContaining({ slice: 'whole', ran: 1, warmUps: 2 }));
  expect(bill.other.calls).toBe(0);
  expect(filtered).toBe(0);
  expect(unfiltered).toBeGreaterThan(0);
});
