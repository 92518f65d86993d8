/** The example of objects that arrive, used as its README says. */
import * as path from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import * as fs from 'node:fs';
import { decodeTensors, encodeTensors } from '../../client';
import { LocalCloud } from '../../local';
import { DIGITS, pixelsOf } from '../support/digits-model';
import { CopiedExample } from '../support/copied-example';
import { serve } from '../support/example';
import { runWhole } from '../support/run-slices';
import { float32 } from '../support/tensors';
import { until } from '../support/until';

const example = new CopiedExample('object-arrival');
let assembly: string;
beforeAll(async () => {
  assembly = await example.synthesize();
});

interface Template {
  readonly Resources: Readonly<
    Record<string, { readonly Type: string; readonly Properties: Readonly<Record<string, unknown>> }>
  >;
}

describe('an object below inputs/arrivals/', () => {
  it('becomes a result with the bits of the unsliced model', async () => {
    const cloud = await LocalCloud.start(assembly);
    const s3 = new S3Client(cloud.s3);
    try {
      const Bucket = cloud.pipeline.bucket;
      const inputs = new Map([
        ['pixels', float32([2, 35], [...pixelsOf(DIGITS[3].join('')), ...pixelsOf(DIGITS[8].join(''))])],
      ]);
      await s3.send(
        new PutObjectCommand({ Bucket, Key: 'inputs/arrivals/two.safetensors', Body: encodeTensors(inputs) }),
      );
      const [{ Key }] = await until('a result', async () => {
        const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'outputs/' }));
        return Contents;
      });
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      const results = decodeTensors((await Body?.transformToByteArray()) ?? new Uint8Array());
      expect(results).toEqual(await runWhole(path.join(example.folder, 'digits.onnx'), inputs));
      expect(cloud.notices().filter((notice) => /rule|event/.test(notice))).toEqual([]);
    } finally {
      s3.destroy();
      await cloud.close();
    }
  });
});

describe('the commands of the README', () => {
  it('print the results of two objects', async () => {
    const cloud = await serve(assembly);
    const drawings = ["seven '##### ....# ...#. ..#.. .#... .#... .#...'", "small '#.'"];
    for (const drawing of drawings) {
      const [name, pixels] = drawing.split(/ '(.*)'/s);
      const stdout = example.printed(`npx tsx put.ts ${drawing}`);
      expect(await example.outcome('put', [name, pixels], cloud.environment)).toEqual({
        code: 0,
        stdout,
        stderr: '',
      });
    }
    const stdout = example.printed('npx tsx results.ts seven small');
    expect(stdout).toMatch(/ 7\n.*FAILED/);
    const names = ['seven', 'small'];
    expect(await example.outcome('results', names, cloud.environment)).toEqual({
      code: 0,
      stdout,
      stderr: '',
    });
    expect(await cloud.stop()).toMatchObject({ stderr: '', leftovers: [] });
  });
});

describe('the template', () => {
  it('sends ended runs to queues, and undelivered events to another one', () => {
    const text = fs.readFileSync(path.join(assembly, 'Arrivals.template.json'), 'utf8');
    const { Resources: resources } = JSON.parse(text) as Template;
    const rules = Object.entries(resources).filter(([, { Type }]) => Type === 'AWS::Events::Rule');
    const queue = (name: string) => ({
      'Fn::GetAtt': [expect.stringMatching(`^${name}[0-9A-F]{8}$`), 'Arn'],
    });
    const ended = (status: string[], name: string) => ({
      EventPattern: { source: ['aws.states'], detail: { status } },
      Targets: [{ Arn: queue(name), InputPath: '$.detail', DeadLetterConfig: { Arn: queue('Undelivered') } }],
    });
    expect(rules.map(([, { Properties }]) => Properties)).toMatchObject([
      { Targets: [{ DeadLetterConfig: { Arn: queue('Undelivered') } }] },
      ended(['SUCCEEDED'], 'Results'),
      ended(['FAILED', 'TIMED_OUT', 'ABORTED'], 'Failures'),
    ]);
  });

  it('has alarms', () => {
    const text = fs.readFileSync(path.join(assembly, 'Arrivals.template.json'), 'utf8');
    expect(text.match(/"AWS::CloudWatch::Alarm"/g)).toHaveLength(3);
  });
});
