import { Notices } from '../../../local/notices';
import { readAsynchronousSettings } from '../../../local/cloudformation/event-invoke-config';
import { attributeOf } from '../../../local/cloudformation/physical-ids';
import { Template } from '../../../local/cloudformation/template';
import { CodeFolders } from '../../../local/lambda/code';
import { Concurrency } from '../../../local/lambda/concurrency';
import { LocalFunctions } from '../../../local/lambda/local-functions';
import { NodeBinaries } from '../../../local/lambda/node-binaries';
import { DiskObjectStore } from '../../../local/s3/store';
import { parseDefinition } from '../../../local/step-functions/parse-definition';
import { task } from '../../support/machine-fixture';
import { temporaryFolder } from '../../support/temporary-folder';

const FUNCTION = {
  Type: 'AWS::Lambda::Function',
  Properties: {
    Code: { S3Bucket: 'assets', S3Key: 'code.zip' },
    Handler: 'index.handler',
    Runtime: 'nodejs22.x',
    Architectures: [process.arch === 'x64' ? 'x86_64' : process.arch],
    Role: 'arn:aws:iam::000000000000:role/mine',
  },
};

function templateOf(...logicalIds: string[]): Template {
  return new Template({
    name: 'S',
    environment: { account: '000000000000', region: 'us-east-1' },
    template: { Resources: Object.fromEntries(logicalIds.map((id) => [id, FUNCTION])) },
  });
}

/** Deploys a template whose state machine calls one function, and returns the ARN of the function. */
function deploy(functions: LocalFunctions, template: Template, logicalId: string): string {
  const arn = attributeOf(template, template.resource(logicalId), 'Arn');
  template.resolve({ 'Fn::GetAtt': [logicalId, 'Arn'] });
  const machine = task({ Arguments: { FunctionName: arn, Payload: {} } });
  functions.prepare(template, parseDefinition(JSON.stringify({ QueryLanguage: 'JSONata', ...machine })))();
  return arn;
}

describe('a function that a deployment removes', () => {
  const folder = temporaryFolder();
  const functions = new LocalFunctions({
    code: new CodeFolders(new DiskObjectStore(folder), folder),
    folder,
    region: 'us-east-1',
    admit: () => ({ environment: {}, end: () => undefined }),
    concurrency: new Concurrency(),
    nodes: new NodeBinaries(),
    notices: new Notices(),
  });

  it('is not found by executions that still call it, until another deployment has it again', async () => {
    const arn = deploy(functions, templateOf('A', 'B'), 'A');
    deploy(functions, templateOf('B'), 'B');
    await expect(functions.invoke(arn, {})).rejects.toMatchObject({
      error: 'Lambda.ResourceNotFoundException',
      cause: `Function not found: ${arn}`,
    });
    deploy(functions, templateOf('A'), 'A');
    // The code of this function does not exist.
    await expect(functions.invoke(arn, {})).rejects.not.toMatchObject({
      error: 'Lambda.ResourceNotFoundException',
    });
  });

  it('stays if only the state machine no longer calls it', async () => {
    const arn = deploy(functions, templateOf('C', 'D'), 'C');
    deploy(functions, templateOf('C', 'D'), 'D');
    await expect(functions.invoke(arn, {})).rejects.not.toMatchObject({
      error: 'Lambda.ResourceNotFoundException',
    });
  });
});

describe('asynchronous calls', () => {
  function withConfig(properties: object): Template {
    const config = {
      Type: 'AWS::Lambda::EventInvokeConfig',
      Properties: { FunctionName: { Ref: 'Mine' }, Qualifier: '$LATEST', ...properties },
    };
    return new Template({
      name: 'S',
      environment: { account: '000000000000', region: 'us-east-1' },
      template: { Resources: { Mine: FUNCTION, Other: FUNCTION, Config: config } },
    });
  }

  it('are repeated twice within six hours unless the template says otherwise', () => {
    expect(readAsynchronousSettings(withConfig({}), 'Other', '$LATEST')).toEqual({
      maxRetries: 2,
      maxAgeSeconds: 21_600,
    });
    const own = withConfig({ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 });
    expect(readAsynchronousSettings(own, 'Mine', '$LATEST')).toEqual({ maxRetries: 0, maxAgeSeconds: 60 });
    expect(readAsynchronousSettings(own, 'Mine', '7')).toEqual({ maxRetries: 2, maxAgeSeconds: 21_600 });
  });

  it('refuse destinations by name', () => {
    const template = withConfig({ DestinationConfig: { OnFailure: { Destination: 'arn:queue' } } });
    expect(() => readAsynchronousSettings(template, 'Mine', '$LATEST')).toThrow('DestinationConfig');
  });
});
