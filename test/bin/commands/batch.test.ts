/** The command `batch` against a local S3, and a Step Functions of the test that runs a batch when it is asked for its state. */
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as path from 'node:path';
import { localPath } from '../../../bin/batch/download';
import { checkedItems } from '../../../bin/batch/upload-items';
import type { BatchRow } from '../../../client';
import { closeServer, listen } from '../../../local/http/loopback-server';
import { cli, outcome, refuse, succeed } from '../../support/run-cli';
import { BUCKET, s3Fixture } from '../../support/s3-fixture';
import { temporaryFolder } from '../../support/temporary-folder';
import { until } from '../../support/until';

const s3 = s3Fixture();
const ARN = 'arn:aws:states:us-east-1:123456789012:stateMachine:Nightly';
const RESULTS = 'outputs/nightly-1a2b/';
const FAILURE = { error: 'InvalidInput', message: 'input expects float32: convert it' };

type Fields = Readonly<Record<string, string>>;
interface Execution {
  executionArn: string;
  name: string;
  status: string;
  startDate: number;
  items: string;
  redriveCount: number;
  output?: string;
}

/** The newest first. */
let executions: Execution[] = [];
let requests: string[] = [];
let kind = 'objects';
/** What happens to a batch that runs when its counts were read. */
let end: (execution: Execution) => unknown = succeeding;

async function put(Key: string, Body: string): Promise<void> {
  await s3.client.putObject({ Bucket: BUCKET, Key, Body });
}

/** Writes a result for each object, but a failure for those named `bad`. */
async function succeeding(execution: Execution): Promise<void> {
  const { Contents = [] } = await s3.client.listObjectsV2({ Bucket: BUCKET, Prefix: execution.items });
  const rows: BatchRow[] = [];
  for (const [index, { Key: item = '' }] of Contents.entries()) {
    const result = `${RESULTS}abc/${item}.0123456789ab.json`;
    if (!item.includes('bad')) await put(result, `{"of": ${JSON.stringify(item)}}`);
    const ending = item.includes('bad') ? { status: 'failed', failure: FAILURE } : { status: 'done', result };
    rows.push({ index, item, attempt: 1, ...ending } as BatchRow);
  }
  const table = { bucket: BUCKET, key: `${RESULTS}tables/${execution.name}.jsonl` };
  await put(table.key, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const failures = rows
    .filter(({ status }) => status === 'failed')
    .map(({ item }) => ({ ...FAILURE, item, count: 1 }));
  const items = {
    total: rows.length,
    done: rows.length - failures.length,
    skipped: 0,
    failed: failures.length,
  };
  const usage = [{ slice: 0, calls: 1000, mbMs: 1024 * 1e6 }];
  const output = {
    version: 1,
    deploymentDigest: 'ab'.repeat(32),
    table,
    items,
    failures,
    milliseconds: 1000,
    usage,
  };
  Object.assign(execution, { status: 'SUCCEEDED', stopDate: 1060, output: JSON.stringify(output) });
}

const signature = () => ({
  ...{ version: 1, deploymentDigest: 'ab'.repeat(32), bucket: BUCKET, inputs: [], outputs: [] },
  items: {
    kind,
    bucket: BUCKET,
    location: kind === 'objects' ? 'inputs/docs/' : 'inputs/lists/default.jsonl',
  },
  ...{ itemsPerRun: 8, maxConcurrency: 100, resultsPrefix: RESULTS },
});

const OPERATIONS: Readonly<Record<string, (fields: Fields) => unknown>> = {
  DescribeStateMachine: () => ({
    type: 'STANDARD',
    definition: JSON.stringify({ Comment: JSON.stringify({ inferenceBatch: signature() }) }),
  }),
  ListExecutions: () => ({ executions }),
  StartExecution: ({ name, input }) => {
    const executionArn = `${ARN.replace('stateMachine', 'execution')}:${name}`;
    const { items = 'inputs/docs/' } = JSON.parse(input) as { items?: string };
    executions.unshift({ executionArn, name, items, status: 'RUNNING', startDate: 1000, redriveCount: 0 });
    return { executionArn, startDate: 1000 };
  },
  DescribeExecution: ({ executionArn }) => executions.find((known) => known.executionArn === executionArn),
  ListMapRuns: () => ({ mapRuns: [{ mapRunArn: 'the map run' }] }),
  DescribeMapRun: async () => {
    if (executions[0].status === 'RUNNING') await end(executions[0]);
    const itemCounts = { total: 9, succeeded: 6, failed: 1, timedOut: 0, aborted: 0, running: 1, pending: 1 };
    return { itemCounts, executionCounts: { total: 2 }, startDate: 1000 };
  },
  StopExecution: () => {
    Object.assign(executions[0], { status: 'ABORTED', stopDate: 1030 });
    return { stopDate: 1030 };
  },
  RedriveExecution: () => {
    Object.assign(executions[0], { status: 'RUNNING', redriveCount: 1 });
    return { redriveDate: 1040 };
  },
};

const stepFunctions = http.createServer((message, response) => {
  const parts: Buffer[] = [];
  message.on('data', (part: Buffer) => parts.push(part));
  message.on('end', () => {
    const operation = String(message.headers['x-amz-target']).split('.')[1];
    requests.push(operation);
    void Promise.resolve(OPERATIONS[operation](JSON.parse(Buffer.concat(parts).toString()) as Fields)).then(
      (answer) => response.end(JSON.stringify(answer)),
    );
  });
});
let environment: Readonly<Record<string, string>>;
const local = () => ({ env: environment });

beforeAll(async () => {
  const { accessKeyId, secretAccessKey } = s3.credentials;
  environment = {
    AWS_ENDPOINT_URL_SFN: `http://127.0.0.1:${await listen(stepFunctions, 0)}`,
    AWS_ENDPOINT_URL_S3: s3.server.endpoint,
    ...{ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_REGION: 'us-east-1' },
  };
});
beforeEach(() => {
  [executions, requests, kind, end] = [[], [], 'objects', succeeding];
});
afterAll(() => closeServer(stepFunctions));

function folderOf(...names: readonly string[]): string {
  const folder = temporaryFolder();
  for (const name of names) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), `content of ${name}`);
  }
  return folder;
}

async function keysBelow(Prefix: string): Promise<string[]> {
  const { Contents = [] } = await s3.client.listObjectsV2({ Bucket: BUCKET, Prefix });
  return Contents.map(({ Key = '' }) => Key);
}

describe('batch', () => {
  it('uploads a folder, runs its files, downloads the results, and gives an account', async () => {
    const [folder, out] = [folderOf('a.txt', 'deep/b.txt', '.hidden'), path.join(temporaryFolder(), 'out')];
    const args = ['batch', ARN, '--inputs', folder, '--name', 'scans', '--out', out];
    const first = await outcome(args, local());
    expect(first).toMatchObject({
      code: 0,
      stderr: 'note: what begins with a dot is left out: 1 in the folder\n',
    });
    expect(first.stdout).toMatch(
      /^arn:\S+:execution:Nightly:scans-[0-9a-f]{12}-1\n2 items in 60 s: 2 done, 0 skipped, 0 failed\nprice: \$0\.01\d, modelled by list prices, .*\ntable: s3:\S+\nwritten to .*: table\.jsonl and 2 results, of which 0 were there\n$/,
    );
    const items = ['inputs/docs/scans/a.txt', 'inputs/docs/scans/deep/b.txt'];
    expect(await keysBelow('inputs/docs/scans/')).toEqual(items);
    const results = items.map((item) =>
      fs.readFileSync(path.join(out, 'abc', `${item}.0123456789ab.json`), 'utf8'),
    );
    expect(results).toEqual(items.map((item) => `{"of": "${item}"}`));
    expect(fs.readFileSync(path.join(out, 'table.jsonl'), 'utf8').split('\n')).toHaveLength(3);
    expect(fs.readdirSync(out).sort()).toEqual(['abc', 'table.jsonl']);

    const before = (await s3.client.headObject({ Bucket: BUCKET, Key: items[0] })).LastModified;
    const again = await outcome([...args, '--json'], local());
    const account = JSON.parse(again.stdout) as { executionArn: string; out: object };
    expect(account.executionArn).toMatch(/-2$/);
    expect(account.out).toEqual({ folder: out, files: 2, skipped: 2 });
    expect((await s3.client.headObject({ Bucket: BUCKET, Key: items[0] })).LastModified).toEqual(before);
  });

  it('ends with 1 and the causes if items failed', async () => {
    await put('inputs/docs/november/bad.txt', 'x');
    const args = ['batch', ARN, '--inputs', `s3://${BUCKET}/inputs/docs/november/`];
    const { code, stdout } = await outcome(args, local());
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /: 0 done, 0 skipped, 1 failed\n\nfailed +error +message +such as\n +1 +InvalidInput +input expects/,
    );
    expect(JSON.parse((await outcome([...args, '--json'], local())).stdout)).toMatchObject({
      ...{ status: 'SUCCEEDED', seconds: 60, items: { total: 1, failed: 1 }, failures: [FAILURE] },
      costItems: { lambdaRequests: (1004 * 0.2) / 1e6 },
    });
  });

  it('uploads a list of items as one object', async () => {
    kind = 'jsonLines';
    const file = path.join(folderOf('items.jsonl'), 'items.jsonl');
    await succeed(['batch', ARN, '--inputs', file, '--name', 'list'], local());
    expect(executions[0].items).toBe('inputs/lists/list.jsonl');
    expect(await keysBelow('inputs/lists/')).toEqual(['inputs/lists/list.jsonl']);
  });

  it('goes on at Ctrl-C, and the same command attaches, stops and redrives', async () => {
    end = () => undefined;
    let child: ChildProcess | undefined;
    const interrupted = cli(['batch', ARN, '--name', 'mine'], {
      ...local(),
      onStart: (started) => (child = started),
    });
    await until('the batch runs', () => requests.includes('DescribeMapRun'));
    child?.kill('SIGINT');
    const { signal, stdout, stderr } = await interrupted;
    expect({ signal, stdout }).toEqual({ signal: 'SIGINT', stdout: '' });
    const command = `sliced-inference batch ${ARN} --name mine`;
    expect(stderr).toBe(
      `note: the batch goes on: ${executions[0].executionArn}\nnote: this attaches again: ${command}\nnote: this stops it: ${command} --stop\n`,
    );
    const json = async (...flags: readonly string[]) =>
      JSON.parse(
        (await outcome(['batch', ARN, '--name', 'mine', '--json', ...flags], local())).stdout,
      ) as object;
    const items = { total: 9, done: 6, failed: 1, pending: 2 };
    expect(await json('--stop')).toMatchObject({ status: 'ABORTED', seconds: 30, items });
    expect(await refuse(['batch', ARN, '--name', 'mine', '--stop'], local())).toMatch(
      /^--stop must find a batch that runs, got the end/,
    );
    end = succeeding;
    expect(await json('--redrive')).toMatchObject({ status: 'SUCCEEDED' });
    executions[0].status = 'RUNNING';
    const attached = await outcome(['batch', ARN, '--name', 'mine'], local());
    expect(attached.stderr).toBe(`note: the batch of these inputs runs: ${executions[0].executionArn}\n`);
    expect(requests.filter((operation) => operation === 'StartExecution')).toHaveLength(1);
  });

  it.each([
    [
      'ABORTED',
      {},
      /^error: the execution failed: ExecutionAborted: the batch must run to its end, got stopped: redrive it /,
    ],
    [
      'FAILED',
      { error: 'States.ExceedToleratedFailureThreshold', cause: 'many' },
      /must have at most its tolerated failures, got more \(many\)/,
    ],
  ])('gives an account of an execution that ends as %s', async (status, about, message) => {
    end = (execution) => Object.assign(execution, { status, stopDate: 1030, ...about });
    const { code, stdout, stderr } = await outcome(['batch', ARN], local());
    expect({ code, stdout }).toEqual({ code: 1, stdout: '9 items in 30 s: 6 done, 1 failed, 2 pending\n' });
    expect(stderr).toMatch(message);
  });

  it.each<[readonly string[], RegExp]>([
    [['Nightly'], /^the argument must be the ARN of a state machine, got 'Nightly'/],
    [[ARN, '--name', 'a b'], /It must be 1 to 40 letters/],
    [[ARN, '--stop', '--redrive'], /cannot be used with/],
    [
      [ARN, '--redrive'],
      /^--redrive must find a batch that has ended, got none with the inputs 'its own': pass/,
    ],
    [
      [ARN, '--inputs', 's3://other/inputs/docs/'],
      /^--inputs must be below s3:\/\/the-bucket\/inputs\/docs\/, where the batch may read, got/,
    ],
    [[ARN, '--inputs', `s3://${BUCKET}/inputs/`], /^--inputs must be below/],
    [
      [ARN, '--inputs', '/none'],
      /^--inputs must be s3:\/\/BUCKET\/PREFIX, a folder or a file, got no such file or folder/,
    ],
    [
      [ARN, '--inputs', __filename],
      /^--inputs must be a folder, because the items of the batch are the objects below a prefix, got the file/,
    ],
    [[ARN, '--out', __filename], /^--out must name a folder that can be written, got a file in the way for/],
  ])('refuses %j', async (args, message) => {
    expect(await refuse(['batch', ...args], local())).toMatch(message);
    expect(executions).toEqual([]);
  });
});

test.each<[string, string | Buffer | undefined, RegExp]>([
  ['without files', undefined, /^--inputs must be a folder with files, got none in/],
  ['with a link', 'link', /link' of --inputs must be a file, got a symbolic link: /],
  ['with a control character', 'a\nb', /must be named in UTF-8 without control characters/],
  ['with bytes', Buffer.of(0xff), /must be named in UTF-8/],
  ['with a long name', 'x'.repeat(200), /must be a key of at most 1024 bytes, got 1100: shorten/],
])('a folder %s is refused', (_, name, message) => {
  const folder = temporaryFolder();
  const file = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name ?? '')]);
  if (name === 'link') fs.symlinkSync(__filename, file);
  else if (name !== undefined) fs.writeFileSync(file, '');
  expect(() => checkedItems(folder, 'p'.repeat(900))).toThrow(message);
});

test('keys from outside stay below the folder, and two keys have two paths', () => {
  const keys = ['../../x', '..', '/etc/x', 'a//b', 'a/%2E', 'a/.', '%', 'a\\..\\b', 'c:\n', '...'];
  const paths = keys.map(localPath);
  for (const each of paths) expect(path.resolve('/out', `./${each}`).startsWith('/out/')).toBe(true);
  expect(new Set(paths.map((each) => path.resolve('/out', `./${each}`))).size).toBe(keys.length);
  expect(localPath('abc/inputs/a b+é.txt.0123.json')).toBe('abc/inputs/a b+é.txt.0123.json');
});
