/** The snapshot of `integ-runner` is that of the pipelines as they are, without digests, which change with the code. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { scrubbed } from '../support/pipeline-stack';
import { mlp, saveModel, temporaryFolder } from '../support/model-builder';
import { buildApp, STACKS } from './app';

const SNAPSHOT = path.join(__dirname, 'integ.pipelines.ts.snapshot');

function withoutDigests(file: string): unknown {
  const text = scrubbed(fs.readFileSync(file, 'utf8'));
  const parsed = JSON.parse(text.replaceAll(/(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}/g, '$1<hash>')) as {
    Parameters?: unknown;
    Rules?: unknown;
  };
  return { ...parsed, Parameters: undefined, Rules: undefined };
}

describe('the snapshot for integ-runner', () => {
  const { app } = buildApp({
    modelPath: saveModel(mlp(3)),
    architecture: lambda.Architecture.X86_64,
    outdir: path.join(temporaryFolder(), 'cdk.out'),
  });
  const { directory } = app.synth();

  it.each(Object.values(STACKS))('has the template of %s: `npm run integ:snapshots` writes it', (stack) => {
    const name = `${stack}.template.json`;
    expect(withoutDigests(path.join(directory, name))).toEqual(withoutDigests(path.join(SNAPSHOT, name)));
  });
});
