/** Runs functions with the Node.js that they declare, as far as it is installed in `test/other-versions`. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Notices } from '../../../local/notices';
import { packageRoot } from '../../../lib/host/packages';
import { infer } from '../../../local';
import { Slicing } from '../../../lib';
import { rows, start, synthesize } from '../../support/deployed-pipeline';
import { call, functionFixture } from '../../support/function-fixture';
import { mlp, saveModel } from '../../support/model-builder';
import { runWhole } from '../../support/run-slices';

/** Major versions of all runtimes that Lambda has or will have. */
const MAJORS = ['20', '22', '24', '26'];

/** The programs by major version. `node test/check-versions.mjs` installs them with npm. */
function otherNodes(): Readonly<Record<string, string>> {
  const packages = path.join(packageRoot(), 'test/other-versions/node_modules');
  const folderOf = (major: string) => `node-${major}-${process.platform}-${process.arch}`;
  const programs = MAJORS.map((major) => [major, path.join(packages, folderOf(major), 'bin/node')] as const);
  return Object.fromEntries(programs.filter(([, program]) => fs.existsSync(program)));
}

const functions = functionFixture();
const nodeBinaries = otherNodes();
const ownMajor = process.versions.node.split('.')[0];

const SOURCE = 'exports.handler = async () => process.versions.node;';

/** Lambda's runtimes whose Node.js is here. */
const majors = [...new Set([ownMajor, ...Object.keys(nodeBinaries)])].sort();

test.each(majors)('a function that declares Node.js %s runs with it', async (major) => {
  const notices = new Notices();
  const host = { nodeBinaries, notices };
  const pool = await functions.create(SOURCE, { runtime: `nodejs${major}.x` }, host);
  expect(await call(pool)).toMatch(new RegExp(`^${major}\\.`));
  expect(notices.list()).toEqual([]);
});

test('functions whose Node.js is missing run with this one, and one notice says so', async () => {
  const notices = new Notices();
  for (let i = 0; i < 2; i++) {
    const pool = await functions.create(SOURCE, { runtime: 'nodejs99.x' }, { notices });
    expect(await call(pool)).toBe(process.versions.node);
  }
  expect(notices.list()).toEqual([
    expect.stringMatching(/^functions for Node\.js 99 run with the Node\.js of this program, [\d.]+$/),
  ]);
});

// Node.js of this machine may be older than Lambda's runtimes.
test.each(majors.filter((major) => Number(major) >= 20))(
  'the slice function on Node.js %s returns the bits of the unsliced model',
  async (major) => {
    const modelPath = saveModel(mlp(3));
    const runtime = new lambda.Runtime(`nodejs${major}.x`, lambda.RuntimeFamily.NODEJS);
    const assembly = synthesize(modelPath, () => ({ slicing: Slicing.count(2), runtime }));
    const cloud = await start(assembly, { nodeBinaries });
    // Without rows, a request has tensors without elements.
    for (const count of [3, 0]) {
      const inputs = rows(count, 2);
      expect(await infer(cloud, inputs)).toMatchObject({
        status: 'SUCCEEDED',
        outputs: await runWhole(modelPath, inputs),
      });
    }
    expect(cloud.notices()).toEqual([]);
  },
);
