import { attributeOf } from '../../../local/cloudformation/physical-ids';
import { Template } from '../../../local/cloudformation/template';
import { CodeFolders } from '../../../local/lambda/code';
import { Concurrency } from '../../../local/lambda/concurrency';
import { LocalFunctions } from '../../../local/lambda/local-functions';
import { NodeBinaries } from '../../../local/lambda/node-binaries';
import { Notices } from '../../../local/notices';
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

/** Deploys functions and a state machine that calls the first one, and returns the ARN of this function. */
function deploy(...logicalIds: string[]): string {
  const template = new Template({
    name: 'S',
    environment: { account: '000000000000', region: 'us-east-1' },
    template: { Resources: Object.fromEntries(logicalIds.map((id) => [id, FUNCTION])) },
  });
  const arn = attributeOf(template, template.resource(logicalIds[0]), 'Arn');
  template.resolve({ 'Fn::GetAtt': [logicalIds[0], 'Arn'] });
  const machine = task({ Arguments: { FunctionName: arn, Payload: {} } });
  functions.prepare(template, parseDefinition(JSON.stringify({ QueryLanguage: 'JSONata', ...machine })))();
  return arn;
}

const notFound = { error: 'Lambda.ResourceNotFoundException' };

test('a function that a deployment removes is not found by executions that still call it, until it is back', async () => {
  const arn = deploy('A', 'B');
  deploy('B');
  const cause = `Function not found: ${arn}`;
  await expect(functions.invoke(arn, {})).rejects.toMatchObject({ ...notFound, cause });
  deploy('A');
  // The code of this function does not exist.
  await expect(functions.invoke(arn, {})).rejects.not.toMatchObject(notFound);
});

test('a function stays if only the state machine no longer calls it', async () => {
  const arn = deploy('C', 'D');
  deploy('D', 'C');
  await expect(functions.invoke(arn, {})).rejects.not.toMatchObject(notFound);
});
