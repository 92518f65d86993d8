/** The example of a pipeline in a VPC with keys of its own, run as its README says. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Stack } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { type Access, infer, LocalCloud } from '../../local';
import { DIGITS, pixelsOf } from '../support/digits-model';
import { CopiedExample } from '../support/copied-example';
import { nagFindings, reasonFor } from '../support/nag-findings';
import { runWhole } from '../support/run-slices';
import { float32 } from '../support/tensors';

const example = new CopiedExample('vpc-kms');

/** The bucket and a key of a bootstrap with a customer-managed key. */
const ASSETS = 'cdk-hnb659fds-assets-000000000000-us-east-1';
const ASSET_KEY = 'arn:aws:kms:us-east-1:000000000000:key/5e1e3ce0-6a36-4e8f-a2e0-5d3b4d5c8f11';

let assembly: string;
beforeAll(async () => {
  assembly = await example.synthesize();
});

async function run(folder: string, bucketKeys: Readonly<Record<string, string>> = {}): Promise<Access[]> {
  const accesses: Access[] = [];
  const cloud = await LocalCloud.start(folder, { bucketKeys, onAccess: (access) => accesses.push(access) });
  try {
    const inputs = new Map([['pixels', float32([1, 35], pixelsOf(DIGITS[5].join('')))]]);
    const result = await infer(cloud, inputs);
    if (result.status === 'FAILED') throw new Error(result.cause);
    expect(result.outputs).toEqual(await runWhole(path.join(example.folder, 'digits.onnx'), inputs));
    return accesses;
  } finally {
    await cloud.close();
  }
}

it('prints what the README shows', async () => {
  const stdout = example.printed('npx tsx demo.ts');
  expect(stdout).toMatch(/^a 9\n.*kms:Decrypt/);
  expect(await example.outcome('demo')).toEqual({ code: 0, stdout, stderr: '' });
});

describe('the pipeline', () => {
  it('returns the bits of the unsliced model, and no key is refused', async () => {
    const accesses = await run(assembly);
    expect(accesses.filter(({ refusal }) => refusal !== undefined)).toEqual([]);
  });

  it('decrypts its slices with the key of the bootstrap bucket', async () => {
    const folder = await new CopiedExample('vpc-kms').synthesize({ assetKey: ASSET_KEY });
    const accesses = await run(folder, { [ASSETS]: ASSET_KEY });
    const decrypts = accesses.filter(
      ({ action, resource }) => action === 'kms:Decrypt' && resource === ASSET_KEY,
    );
    expect(new Set(decrypts.map(({ principal }) => principal)).size).toBe(2);
    await expect(run(assembly, { [ASSETS]: ASSET_KEY })).rejects.toThrow(
      "allow the function to use the bucket's encryption key",
    );
  });
});

/** Runs the app in this process. It reads its model from the working directory. */
function stackOfApp(): Stack {
  const before = process.cwd();
  process.chdir(example.folder);
  try {
    return jest.requireActual<{ stack: Stack }>('../../examples/vpc-kms/app').stack;
  } finally {
    process.chdir(before);
  }
}

describe('the template', () => {
  it('has no way to the internet', () => {
    const template = fs.readFileSync(path.join(assembly, 'Private.template.json'), 'utf8');
    expect(template).toContain('"AWS::EC2::VPCEndpoint"');
    expect(template).not.toMatch(/"AWS::EC2::(NatGateway|InternetGateway|EgressOnlyInternetGateway)"/);
  });

  it('has no finding of AwsSolutions without a reason', () => {
    const all = nagFindings(new AwsSolutionsChecks(), stackOfApp());
    expect(all.length).toBeGreaterThan(0);
    const findings = all.filter(
      ({ path: place, rule }) =>
        !place.startsWith('Private/Digits/') ||
        reasonFor(place.replace('Private/Digits/', ''), rule.replace('AwsSolutions-', '')) === undefined,
    );
    expect(findings.map(({ path: place, rule }) => `${place} ${rule}`)).toEqual([]);
  });
});
