/** Each check of `npm run validate` finds the fault that is built into a stack, and nothing in the stack without it. */
import { Stack, Stage } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { attachOwnPolicy, attachPolicies } from '../../../lib/aws/replaced-policy';
import type { JsonObject } from '../../../local/json';
import {
  cloudFormation,
  aslValidator,
  languageService,
  variables,
  nag,
} from '../../../scripts/validate/validators';
import { limits } from '../../../scripts/validate/limits';
import { type Check, synthesizeCase, type SynthesizedCase } from '../../../scripts/validate/synthesize';
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
async function findings({ find }: Check, subject: SynthesizedCase): Promise<string[]> {
  return (await find(subject)).map(({ place, message }) => `${place}: ${message}`);
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

const roleIn = (stack: Stack): iam.Role =>
  new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });

function statement(characters: number, resources = 1): iam.PolicyStatement {
  const arns = Array.from(
    { length: resources },
    (_, index) => `arn:aws:s3:::${'x'.repeat(characters)}${index + 10}`,
  );
  return new iam.PolicyStatement({ actions: ['s3:GetObject'], resources: arns });
}

function machineWith(stack: Stack, props: sfn.PassProps): void {
  const definitionBody = sfn.DefinitionBody.fromChainable(new sfn.Pass(stack, 'Pass', props));
  new sfn.StateMachine(stack, 'Machine', { definitionBody });
}

const EXCESSES: Readonly<Record<string, (stack: Stack) => void>> = {
  'Stack/Role: characters of inline policies in an update must be at most 10240, got 10...': (stack) => {
    const role = roleIn(stack);
    role.addToPolicy(statement(4_000));
    new iam.Policy(stack, 'More', { roles: [role], statements: [statement(6_500)] });
  },
  // An update replaces the own policy, and the role has both meanwhile.
  'Stack/Role: characters of inline policies in an update must be at most 10240, got 11...': (stack) => {
    const role = roleIn(stack);
    attachOwnPolicy(role, 'Own', [statement(3_900)]);
    role.addToPolicy(statement(3_000));
  },
  'Stack/RoleManaged: characters of a managed policy must be at most 6144, got 6...': (stack) => {
    const role = roleIn(stack);
    attachPolicies(role, 'Managed', [role], [statement(6_200)]);
  },
  'Stack/Role: managed policies in an update must be at most 10, got 12': (stack) => {
    const role = roleIn(stack);
    for (let index = 0; index < 6; index++)
      attachPolicies(role, `Managed${index}`, [role], [statement(index + 1)]);
  },
  // Only in the partition of its region.
  'Iso/Policy: characters of a managed policy must be at most 6144, got 63...': (stack) => {
    const other = new Stack(Stage.of(stack), 'Iso', { env: { region: 'us-isof-south-1' } });
    new iam.ManagedPolicy(other, 'Policy', { statements: [statement(101, 50)], roles: [roleIn(other)] });
  },
  'Stack/Function: bytes of the environment must be at most 4096, got 41...': (stack) => {
    functionIn(stack).addEnvironment('LARGE', 'x'.repeat(4_096));
  },
  "Stack/Machine: characters of a state's name must be at most 80, got 81": (stack) => {
    machineWith(stack, { stateName: 'x'.repeat(81) });
  },
  "Stack/Machine.*/Pass: characters of a variable's name must be at most 80, got 81": (stack) => {
    machineWith(stack, { assign: { ['x'.repeat(81)]: 1 } });
  },
  'Stack/Dashboard: metrics of a widget must be at most 500, got 501': (stack) => {
    const left = Array.from(
      { length: 501 },
      (_, index) => new cloudwatch.Metric({ namespace: 'N', metricName: `M${index}` }),
    );
    new cloudwatch.Dashboard(stack, 'Dashboard', { widgets: [[new cloudwatch.GraphWidget({ left })]] });
  },
};

test.each(Object.entries(EXCESSES))('a limit finds: %s', async (expected, build) => {
  const found = await findings(limits, stackWith(build));
  // Logical ids end with digests, and sizes depend on them.
  const [place, message] = expected.replace(/\.{3}$/, '').split(': ');
  expect(found).toEqual([expect.stringMatching(new RegExp(`^${place}.*: ${message}`))]);
});

test('the limits find nothing in a pipeline', async () => {
  const subject = stackWith((stack) => addPipeline(stack, 'Pipeline'));
  expect(await findings(limits, subject)).toEqual([]);
});
