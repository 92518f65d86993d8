/** The command `batch` against a Step Functions of the test. test/end-to-end/batch-callers.test.ts runs it with files and results. */
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as path from 'node:path';
import { json } from 'node:stream/consumers';
import { namesStart } from '../../../bin/batch/executions';
import type { BatchSignature } from '../../../client';
import { closeServer, listen } from '../../../local/http/loopback-server';
import { BATCH_OUTPUT, describedBatch, RESULTS } from '../../support/batch-answers';
import { cli, outcome, refuse } from '../../support/run-cli';
import { BUCKET, s3Fixture } from '../../support/s3-fixture';
import { temporaryFolder } from '../../support/temporary-folder';
import { until } from '../../support/until';

const s3 = s3Fixture();
const ARN = 'arn:aws:states:us-east-1:123456789012:stateMachine:Nightly';
type Fields = Readonly<Record<string, string>>;

/** The newest first. */
let executions: { executionArn: string; name: string; input: string; status: string }[];
let requests: string[];
let signature: Partial<BatchSignature>;
/** How a batch ends when its counts were read. */
let end: () => object;

function succeeding() {
  const key = `${RESULTS}tables/${executions[0].name}.jsonl`;
  const output = { ...BATCH_OUTPUT, table: { bucket: BUCKET, key } };
  return { status: 'SUCCEEDED', output: JSON.stringify(output) };
}

const OPERATIONS: Readonly<Record<string, (fields: Fields) => unknown>> = {
  DescribeStateMachine: () => describedBatch(signature),
  ListExecutions: () => ({ executions }),
  StartExecution: ({ name, input }) => {
    const executionArn = `${ARN.replace('stateMachine', 'execution')}:${name}`;
    executions.unshift({ executionArn, name, input, status: 'RUNNING' });
    return { executionArn, startDate: 1000 };
  },
  DescribeExecution: () => ({ startDate: 1000, stopDate: 1060, ...executions[0] }),
  ListMapRuns: () => ({ mapRuns: [{ mapRunArn: 'the map run' }] }),
  DescribeMapRun: () => {
    if (executions[0].status === 'RUNNING') Object.assign(executions[0], end());
    const itemCounts = { total: 9, succeeded: 6, failed: 1, timedOut: 0, aborted: 0, running: 1, pending: 1 };
    return { itemCounts, startDate: 1000 };
  },
  StopExecution: () => Object.assign(executions[0], { status: 'ABORTED' }),
};

const stepFunctions = http.createServer((message, response) => {
  const operation = String(message.headers['x-amz-target']).split('.')[1];
  requests.push(operation);
  void json(message).then((fields) => response.end(JSON.stringify(OPERATIONS[operation](fields as Fields))));
});
let local: { readonly env: Readonly<Record<string, string>> };

beforeAll(async () => {
  const { accessKeyId, secretAccessKey } = s3.credentials;
  const env = {
    AWS_ENDPOINT_URL_SFN: `http://127.0.0.1:${await listen(stepFunctions)}`,
    AWS_ENDPOINT_URL_S3: s3.server.endpoint,
    ...{ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_REGION: 'us-east-1' },
  };
  local = { env };
});
beforeEach(() => {
  [executions, requests, signature, end] = [[], [], {}, () => ({})];
});
afterAll(() => closeServer(stepFunctions));

describe('batch', () => {
  it('goes on at Ctrl-C, and the same command attaches, stops and starts reruns', async () => {
    const args = ['batch', ARN, '--inputs', `s3://${BUCKET}/inputs/docs/november/`];
    const failures = `${RESULTS}failures/${namesStart(ARN, 'inputs/docs/november/')}1/4-ab-2.json`;
    await s3.client.putObject({ Bucket: BUCKET, Key: failures, Body: '[]' });
    let child: ChildProcess | undefined;
    const interrupted = cli(args, { ...local, onStart: (started) => (child = started) });
    await until('the batch runs', () => requests.includes('DescribeMapRun'));
    child?.kill('SIGINT');
    const { signal, stdout, stderr } = await interrupted;
    const [{ executionArn, input }] = executions;
    expect(executionArn).toMatch(/:execution:Nightly:batch-[0-9a-f]{12}-1$/);
    expect(input).toBe('{"items":"inputs/docs/november/"}');
    expect({ signal, stdout }).toEqual({ signal: 'SIGINT', stdout: '' });
    expect(stderr).toBe(
      `note: the batch goes on: ${executionArn}: the same command attaches again, and stops it with --stop\n`,
    );
    const run = async (...flags: readonly string[]) => await outcome([...args, ...flags], local);
    const stopped = await run('--stop', '--json');
    const items = { total: 9, done: 4, failed: 3, pending: 2 };
    expect(JSON.parse(stopped.stdout)).toEqual({ executionArn, status: 'ABORTED', seconds: 60, items });
    expect(stopped.stderr).toBe(`note: attached to ${executionArn}\n`);
    expect(await refuse([...args, '--stop'], local)).toMatch(
      /^--stop must find a batch that runs, got the en/,
    );
    end = succeeding;
    const rerun = await run();
    expect(rerun.code).toBe(1);
    const price = String.raw`price: \$0\.023, modelled by list prices, .*\ntable: s3:\S+\n`;
    const causes = String.raw`failed +error +message +such as\n +1 +InvalidInput +convert it .*\n`;
    expect(rerun.stdout).toMatch(
      new RegExp(`\\n3 items in 60 s: 1 done, 1 skipped, 1 failed, 0 pending\\n\\n${causes}\\n${price}$`),
    );
    end = () => ({ status: 'TIMED_OUT' });
    const late = await run('--json');
    expect(JSON.parse(late.stdout)).toMatchObject({
      executionArn: executionArn.replace(/1$/, '3'),
      ...{
        status: 'TIMED_OUT',
        items: { total: 9, done: 6, failed: 1, pending: 2 },
        error: { name: 'States.Timeout' },
      },
    });
    expect(late.code).toBe(1);
    expect(late.stderr).toMatch(
      /^error: the execution failed: States.Timeout: the batch must succeed, got no end/,
    );
  });

  it('counts the items of a batch that has failed by its table', async () => {
    const rows = [
      { index: 0, item: 'a', status: 'done', result: { key: `${RESULTS}d/1-0.jsonl`, entry: 0 } },
      { index: 1, item: 'b', status: 'failed', failure: { error: 'E', message: 'm' } },
      { index: 2, item: 'c', status: 'pending' },
    ];
    const Key = `${RESULTS}tables/${namesStart(ARN, undefined)}1.jsonl`;
    const Body = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    await s3.client.putObject({ Bucket: BUCKET, Key, Body });
    end = () => ({ status: 'FAILED', error: 'ItemsPending', cause: 'start the batch again' });
    const { stdout } = await outcome(['batch', ARN, '--json'], local);
    expect(JSON.parse(stdout)).toMatchObject({ items: { total: 3, done: 1, failed: 1, pending: 1 } });
  });

  it('attaches only to a batch that does what was asked, and notes files that it has not', async () => {
    const folder = temporaryFolder();
    fs.mkdirSync(path.join(folder, 'deep'));
    const late = path.join(folder, 'deep', 'late');
    const args = ['batch', ARN, '--inputs', folder];
    fs.writeFileSync(path.join(folder, 'a'), 'a');
    end = () => ({ status: 'SUCCEEDED', output: '{}' });
    await outcome(args, local);
    const [{ executionArn }] = executions;
    const running = { status: 'RUNNING', startDate: Date.now() / 1000 };
    Object.assign(executions[0], running);
    expect((await outcome(args, local)).stderr).toMatch(`note: attached to ${executionArn}\nerror: `);
    Object.assign(executions[0], { ...running, startDate: 1000 });
    fs.writeFileSync(late, 'late');
    const { stderr } = await outcome(args, local);
    expect(stderr).toMatch(
      `note: ${executionArn} began before '${path.join(folder, 'a')}' changed: when it has ended, run the same command again`,
    );
    Object.assign(executions[0], running);
    expect(await refuse([...args, '--again'], local)).toMatch(
      `--again must begin a batch, got ${executionArn}, which runs and skips what has a result: wait for it, or use --stop`,
    );
    expect(executions).toHaveLength(1);
    Object.assign(executions[0], { ...running, input: JSON.stringify({ again: true }) });
    expect((await outcome([...args, '--again'], local)).stderr).toMatch(`attached to ${executionArn}`);
  });

  it('gives results whose names are too long for a file shorter ones, and refuses a list with a byte order mark', async () => {
    const key = `${RESULTS}d/2-0.jsonl`;
    const items = ['a', 'b', 'A'].map((last) => `inputs/d/${'é'.repeat(200)}${last}`);
    const deep = ['x', 'y'].map((last) => `${'0123456789/'.repeat(400)}${last}`);
    items.push(...deep, 'inputs/d/case', 'inputs/d/CASE');
    const stored = items.map((output) => `${JSON.stringify({ digest: '0', output })}\n`).join('');
    await s3.client.putObject({ Bucket: BUCKET, Key: key, Body: stored });
    const table = items.map((item, index) =>
      JSON.stringify({ index, item, status: 'done', result: { key, entry: index } }),
    );
    const out = path.join(temporaryFolder(), 'out');
    const Key = `${RESULTS}tables/${namesStart(ARN, undefined)}1.jsonl`;
    await s3.client.putObject({ Bucket: BUCKET, Key, Body: `${table.join('\n')}\n` });
    end = succeeding;
    await outcome(['batch', ARN, '--out', out], local);
    const files = fs
      .readdirSync(out, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.json'));
    const contents = files.map((file) => JSON.parse(fs.readFileSync(path.join(out, file), 'utf8')) as string);
    expect(contents.sort()).toEqual([...items].sort());
    // No file replaces another one where the case of a name does not matter.
    expect(new Set(files.map((file) => file.toLowerCase())).size).toBe(items.length);
    const [d, rest] = [
      files.filter((file) => /^d.é/.test(file)),
      files.filter((file) => file.startsWith('0')),
    ];
    expect([d.length, rest.length]).toEqual([3, 2]);
    for (const file of d) expect(file).toMatch(/^d.é{51}~[0-9a-f]{64}\.json$/);
    for (const file of rest) expect(file).toMatch(/^(0123456789.){4}0123456~[0-9a-f]{64}\.json$/);
    signature = {
      items: { kind: 'jsonLines', bucket: BUCKET, location: 'inputs/x/y.jsonl', folder: 'inputs/x/' },
    };
    const list = path.join(out, 'marked.jsonl');
    fs.writeFileSync(list, '\ufeff{}\n');
    expect(await refuse(['batch', ARN, '--inputs', list], local)).toMatch(
      /^'.*marked\.jsonl' of --inputs must be JSON Lines without a byte order mark, got one: save it as UTF-8/,
    );
  });

  it('uploads a list of items as one object, and names a line that Step Functions would not take', async () => {
    const folder = 'inputs/docs/';
    signature = { items: { kind: 'jsonLines', bucket: BUCKET, location: `${folder}x.jsonl`, folder } };
    const file = path.join(temporaryFolder(), 'items.jsonl');
    const longest = 'é'.repeat(128 * 1024);
    fs.writeFileSync(file, `{}\n${longest}\n\n${longest}+\n`);
    const advice = 'must have at most 256 KiB, got more: put its tensors into S3, and let the line name that';
    expect(await refuse(['batch', ARN, '--inputs', file], local)).toMatch(`line 4 of '${file}' ${advice}`);
    expect(executions).toEqual([]);
    fs.writeFileSync(file, '{}\n');
    end = () => ({ status: 'SUCCEEDED', output: '{}' });
    const { stderr } = await outcome(['batch', ARN, '--inputs', file], local);
    expect(stderr).toMatch(/^error: the execution failed: InvalidOutput: /);
    const { items: Key } = JSON.parse(executions[0].input) as { readonly items: string };
    expect(Key).toMatch(/^inputs\/docs\/[0-9a-f]{12}\/items\.jsonl$/);
    const { Body } = await s3.client.getObject({ Bucket: BUCKET, Key });
    expect(await Body?.transformToString()).toBe('{}\n');
  });

  it.each([
    ['lists/b/', 'lists/a.csv', 'the key of one list'],
    ['lists/b.csv', 'lists/', 'a prefix with a slash at its end'],
  ])('refuses %s for the items of %s', async (items, location, form) => {
    signature = { items: { kind: 'csv', bucket: BUCKET, location, folder: 'lists/' } };
    expect(await refuse(['batch', ARN, '--inputs', `s3://${BUCKET}/${items}`], local)).toContain(
      `items must be ${form}, below 'lists/' in the bucket '${BUCKET}', got '${items}': correct it`,
    );
    expect(executions).toEqual([]);
  });

  const [empty, linked, odd] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
  fs.symlinkSync(__filename, path.join(linked, 'link'));
  fs.writeFileSync(Buffer.concat([Buffer.from(`${odd}/`), Buffer.of(0xff)]), '');

  it.each<[readonly string[], RegExp]>([
    [['--stop'], /^--stop must find a batch that runs, got none with these inputs: pass/],
    [['--out', __filename], /^--out must name a folder that can be written, got a file in the way for/],
    [['--inputs', 's3://other/inputs/docs/'], /^--inputs must be below s3:\/\/the-bucket\/inputs\/docs/],
    [['--inputs', `s3://${BUCKET}/inputs/`], /^items must be below 'inputs\/docs\/' in the bucket/],
    [['--inputs', __filename], /^--inputs must be a folder, because the items of the batch are of objects/],
    [['--inputs', empty], /^--inputs must be a folder with files, got none in/],
    [['--inputs', linked], /link' of --inputs must be a file, got a symbolic link/],
    // Its name is no UTF-8.
    [['--inputs', odd], /of --inputs must be readable, got no such file/],
  ])('refuses %j', async (args, message) => {
    expect(await refuse(['batch', ARN, ...args], local)).toMatch(message);
    expect(executions).toEqual([]);
  });
});
