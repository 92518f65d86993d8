/** Each check of `npm run validate` finds the fault that is built into a stack, and nothing in the stack without it. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { CfnResource, Stack, Stage } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { attachOwnPolicy, attachPolicies } from '../../../lib/aws/replaced-policy';
import type { JsonObject } from '../../../local/basics/json';
import type { Check } from '../../../scripts/validate/check';
import { aslValidator } from '../../../scripts/validate/checks/asl-validator';
import { lint } from '../../../scripts/validate/checks/cfn-lint';
import { cloudFormation } from '../../../scripts/validate/checks/cloudformation';
import { wrongPermissions } from '../../../scripts/validate/checks/iam-simulator';
import { languageService } from '../../../scripts/validate/checks/language-service';
import { limits } from '../../../scripts/validate/checks/limits/limits';
import { nag } from '../../../scripts/validate/checks/nag';
import { variables } from '../../../scripts/validate/checks/variables';
import { callsOf } from '../../../scripts/validate/iam/calls';
import { synthesizeCase, type SynthesizedCase } from '../../../scripts/validate/synthesize';
import { temporaryFolder } from '../../support/model-builder';
import { addPipeline } from '../../support/pipeline-stack';

const NO_MODELS = { small: '', deep: '', towers: '', plan: '' };

function stackWith(build: (stack: Stack) => void): SynthesizedCase {
  const stackCase = {
    name: 'broken',
    flags: 'none' as const,
    build: (app: SynthesizedCase['app']) => {
      build(new Stack(app, 'Stack'));
    },
  };
  return synthesizeCase(stackCase, NO_MODELS, temporaryFolder());
}

/** The findings in a stack, each as `place: message`. */
async function findings({ run }: Check, subject: SynthesizedCase): Promise<string[]> {
  const outcome = await run([subject]);
  if ('skipped' in outcome) throw new Error(outcome.skipped);
  return outcome.findings.flat().map(({ place, message }) => `${place}: ${message}`);
}

const PASS = { Type: 'Pass', End: true };

/** A stack with a state machine of this definition, whose ARN of a function is an intrinsic function. */
function machineOf(definition: JsonObject): SynthesizedCase {
  return stackWith((stack) => {
    new sfn.StateMachine(stack, 'Machine', {
      definitionBody: sfn.DefinitionBody.fromString(
        stack.toJsonString({ QueryLanguage: 'JSONata', ...definition }),
      ),
    });
  });
}

function task(arn: string, fields: JsonObject = {}): JsonObject {
  const Arguments = { FunctionName: arn, Payload: {} };
  return { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', Arguments, End: true, ...fields };
}

function functionIn(stack: Stack): lambda.Function {
  return new lambda.Function(stack, 'Function', {
    runtime: lambda.Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline('exports.handler = async () => undefined;'),
  });
}

test('the validation of CloudFormation finds a bad property', async () => {
  // The tests have it switched off, because it takes long.
  delete process.env.CDK_VALIDATION;
  const subject = (timeout: number): SynthesizedCase =>
    stackWith((stack) => {
      (functionIn(stack).node.defaultChild as lambda.CfnFunction).timeout = timeout;
    });
  expect(await findings(cloudFormation, subject(900))).toEqual([]);
  expect(await findings(cloudFormation, subject(960))).toEqual([
    expect.stringMatching(/^Stack\/Function\/Resource: E\d+ Timeout: 960 exceeds maximum 900/),
  ]);
  process.env.CDK_VALIDATION = 'false';
});

test('the validation of CloudFormation fails if CDK has not validated the templates', async () => {
  const subject = stackWith(functionIn);
  await expect(findings(cloudFormation, subject)).rejects.toThrow('unset CDK_VALIDATION');
});

test('cdk-nag reports only the fault that the test adds without a reason', async () => {
  const subject = (runtime: lambda.Runtime): SynthesizedCase =>
    stackWith((stack) => {
      new s3.Bucket(stack, 'Theirs');
      addPipeline(stack, 'Pipeline', { runtime });
    });
  expect(await findings(nag, subject(lambda.Runtime.NODEJS_24_X))).toEqual([]);
  expect(await findings(nag, subject(lambda.Runtime.NODEJS_20_X))).toEqual([
    expect.stringContaining('Stack/Pipeline/slice-00/Function/Resource: AwsSolutions-L1'),
  ]);
});

test('asl-validator finds a target that is missing', async () => {
  const states = (Next: string): JsonObject => ({ A: { Type: 'Pass', Next }, B: PASS });
  expect(await findings(aslValidator, machineOf({ StartAt: 'A', States: states('B') }))).toEqual([]);
  const found = await findings(aslValidator, machineOf({ StartAt: 'A', States: states('C') }));
  expect(found.join('\n')).toMatch(/^Stack\/Machine\w+: .*MISSING_TRANSITION_TARGET/s);
});

test('the language service finds a retry that asl-validator accepts', async () => {
  const subject = (BackoffRate: number): SynthesizedCase => {
    const Retry = [{ ErrorEquals: ['States.ALL'], BackoffRate }];
    const arn = 'arn:aws:lambda:us-east-1:111122223333:function:slice:1';
    return machineOf({ StartAt: 'A', States: { A: task(arn, { Retry }) } });
  };
  expect(await findings(languageService, subject(1.5))).toEqual([]);
  expect(await findings(aslValidator, subject(0.5))).toEqual([]);
  expect(await findings(languageService, subject(0.5))).toEqual([
    expect.stringMatching(/^Stack\/Machine\w+: line \d+, "BackoffRate": 0.5: Value is below the minimum/),
  ]);
});

test('variables that are read before they are assigned are found', async () => {
  const subject = machineOf({ StartAt: 'A', States: { A: { ...PASS, Output: '{% $nothing %}' } } });
  expect(await findings(variables, subject)).toEqual([
    expect.stringMatching(/^Stack\/Machine\w+: A: nothing may be read before it is assigned$/),
  ]);
});

describe('the limits', () => {
  const statement = (characters: number): iam.PolicyStatement =>
    new iam.PolicyStatement({
      actions: ['s3:GetObject'],
      resources: [`arn:aws:s3:::${'x'.repeat(characters)}`],
    });
  const roleIn = (stack: Stack): iam.Role =>
    new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
  const broken: [string, (stack: Stack) => void, RegExp][] = [
    [
      'inline policies that are too long together',
      (stack) => {
        const role = roleIn(stack);
        role.addToPolicy(statement(4_000));
        new iam.Policy(stack, 'More', { roles: [role], statements: [statement(6_500)] });
      },
      /^Stack\/Role\w+: characters of inline policies in an update must be at most 10240, got 10\d{3}$/,
    ],
    [
      'a managed policy that is too long',
      (stack) => {
        const role = roleIn(stack);
        attachPolicies(role, 'Managed', [role], [statement(6_200)]);
      },
      /^Stack\/Role\w+: characters of a managed policy must be at most 6144, got 6\d{3}$/,
    ],
    [
      'managed policies that are too many while an update replaces them',
      (stack) => {
        const role = roleIn(stack);
        for (let index = 0; index < 6; index++)
          attachPolicies(role, `Managed${index}`, [role], [statement(index + 1)]);
      },
      /^Stack\/Role\w+: managed policies in an update must be at most 10, got 12$/,
    ],
    [
      'inline policies that are too long together while an update replaces them',
      (stack) => {
        const role = roleIn(stack);
        attachOwnPolicy(role, 'Own', [statement(3_800)]);
        role.addToPolicy(statement(3_000));
      },
      /^Stack\/Role\w+: characters of inline policies in an update must be at most 10240, got 1[01]\d{3}$/,
    ],
    [
      'a trust policy that is too long',
      (stack) => {
        const principals = Array.from(
          { length: 40 },
          (_, index) => new iam.ArnPrincipal(`${'x'.repeat(50)}${index}`),
        );
        new iam.Role(stack, 'Role', { assumedBy: new iam.CompositePrincipal(...principals) });
      },
      /^Stack\/Role\w+: characters of the trust policy must be at most 2048, got \d{4}$/,
    ],
    [
      'a policy that is too long only in the partition of its region',
      (stack) => {
        const resources = Array.from(
          { length: 50 },
          (_, index) => `arn:aws:s3:::${'x'.repeat(101)}${index + 10}`,
        );
        const other = new Stack(Stage.of(stack), 'Iso', { env: { region: 'us-isof-south-1' } });
        const statements = [new iam.PolicyStatement({ actions: ['s3:GetObject'], resources })];
        new iam.ManagedPolicy(other, 'Policy', { statements, roles: [roleIn(other)] });
      },
      /^Iso\/Policy\w+: characters of a managed policy must be at most 6144, got 63\d\d$/,
    ],
    [
      'an environment that is too large',
      (stack) => functionIn(stack).addEnvironment('LARGE', 'x'.repeat(4_096)),
      /^Stack\/Function\w+: bytes of the environment must be at most 4096, got 41\d\d$/,
    ],
    [
      'a description that is too long',
      (stack) => {
        (functionIn(stack).node.defaultChild as lambda.CfnFunction).description = 'x'.repeat(257);
      },
      /^Stack\/Function\w+: characters of Description must be at most 256, got 257$/,
    ],
    [
      'a state whose name is too long',
      (stack) => {
        const state = new sfn.Pass(stack, 'Pass', { stateName: 'x'.repeat(81) });
        new sfn.StateMachine(stack, 'Machine', { definitionBody: sfn.DefinitionBody.fromChainable(state) });
      },
      /^Stack\/Machine\w+\/x+: characters of a state's name must be at most 80, got 81$/,
    ],
    [
      'a variable whose name is too long',
      (stack) => {
        const state = new sfn.Pass(stack, 'Pass', { assign: { ['x'.repeat(81)]: 1 } });
        new sfn.StateMachine(stack, 'Machine', { definitionBody: sfn.DefinitionBody.fromChainable(state) });
      },
      /^Stack\/Machine\w+\/Pass: characters of a variable's name must be at most 80, got 81$/,
    ],
    [
      'more resources than a stack may have',
      (stack) => {
        // CDK has its own check.
        stack.node.setContext('@aws-cdk/core:stackResourceLimit', 0);
        for (let index = 0; index < 501; index++)
          new CfnResource(stack, `Wait${index}`, { type: 'AWS::CloudFormation::WaitConditionHandle' });
      },
      /^Stack: resources must be at most 500, got 501$/,
    ],
    [
      'a template that is too large',
      (stack) => {
        new CfnResource(stack, 'Large', {
          type: 'AWS::CloudFormation::WaitConditionHandle',
          properties: { Text: 'x'.repeat(1_000_000) },
        });
      },
      /^Stack: bytes of the template must be at most 1000000, got 1000\d{3}$/,
    ],
    [
      'a dashboard with too many metrics',
      (stack) => {
        const left = Array.from(
          { length: 501 },
          (_, index) => new cloudwatch.Metric({ namespace: 'N', metricName: `M${index}` }),
        );
        new cloudwatch.Dashboard(stack, 'Dashboard', { widgets: [[new cloudwatch.GraphWidget({ left })]] });
      },
      /^Stack\/Dashboard\w+: metrics of a widget must be at most 500, got 501$/,
    ],
  ];

  test.each(broken)('find %s', async (_, build, expected) => {
    expect(await findings(limits, stackWith(build))).toEqual([expect.stringMatching(expected)]);
  });

  test('find nothing in a pipeline', async () => {
    expect(
      await findings(
        limits,
        stackWith((stack) => addPipeline(stack, 'Pipeline')),
      ),
    ).toEqual([]);
  });
});

describe('the check of permissions', () => {
  const subject = (): SynthesizedCase => stackWith((stack) => addPipeline(stack, 'Pipeline'));
  const judge = async (isAllowed: boolean): Promise<string[]> => {
    const pipeline = subject();
    const found = await wrongPermissions(pipeline, callsOf(pipeline), () => Promise.resolve(isAllowed));
    return found.map(({ message }) => message);
  };

  test('finds calls that a role needs and that are denied', async () => {
    const found = await judge(false);
    expect(found).toContainEqual(expect.stringMatching(/^s3:GetObject on .*\/inputs\/.* must be allowed$/));
    expect(found).toContainEqual(expect.stringMatching(/^lambda:InvokeFunction on .*:1 must be allowed$/));
    expect(found.filter((message) => message.endsWith('must be denied'))).toEqual([]);
  });

  test('finds calls that no role needs and that are allowed', async () => {
    const found = await judge(true);
    expect(found).toContainEqual(expect.stringMatching(/^s3:DeleteObject on .* must be denied$/));
    expect(found.filter((message) => message.endsWith('must be allowed'))).toEqual([]);
  });

  test('gives the simulator all policies of the role, and that of the bucket', async () => {
    const pipeline = subject();
    const seen: string[] = [];
    const [call] = callsOf(pipeline);
    await wrongPermissions(pipeline, [call], (_, { identity, resource }) => {
      seen.push(JSON.stringify(identity), JSON.stringify(resource));
      return Promise.resolve(true);
    });
    expect(seen[0]).toContain('logs:PutLogEvents');
    expect(seen[0]).toContain('s3:GetObject');
    expect(seen[1]).toContain('aws:SecureTransport');
  });
});

test('cfn-lint gets resolved definitions, and its findings are those of the stack', () => {
  const folder = temporaryFolder();
  const program = path.join(folder, 'lint.cjs');
  // Finds the first template whose definition still has an intrinsic function, or reports all.
  fs.writeFileSync(
    program,
    `const files = process.argv.slice(process.argv.indexOf('--') + 1);
    const matches = files.map((file) => {
      const { Resources } = JSON.parse(require('node:fs').readFileSync(file, 'utf8'));
      const [id, { Properties }] = Object.entries(Resources).find(([, { Type }]) => Type.endsWith('StateMachine'));
      const kind = typeof Properties.DefinitionString;
      return { Filename: file, Message: kind, Rule: { Id: 'E1' }, Location: { Path: ['Resources', id] } };
    });
    console.log(JSON.stringify(matches));
    process.exit(2);`,
  );
  const subject = stackWith((stack) => {
    const arn = functionIn(stack).functionArn;
    const definition = stack.toJsonString({ StartAt: 'A', States: { A: task(arn) } });
    new sfn.StateMachine(stack, 'Machine', { definitionBody: sfn.DefinitionBody.fromString(definition) });
  });
  const other = machineOf({ StartAt: 'A', States: { A: PASS } });
  const found = lint([process.execPath, program], [subject, other]);
  expect(found.map((own) => own.map(({ message }) => message))).toEqual([['E1 string'], ['E1 string']]);
  expect(found[0][0].place).toMatch(/^Stack\/Resources\/Machine/);
  expect(() => lint([process.execPath, path.join(folder, 'nothing.cjs')], [subject])).toThrow(
    'cfn-lint failed',
  );
});
