import { boundedRequest } from '../../../../lib/aws/workflow/bounded-request';
/** A pipeline as a fragment of the user's state machine. */
import { NestedStack, Stack } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Slicing } from '../../../../lib';
import { PipelineFragment } from '../../../../lib/aws/workflow/fragment';
import { userFunction } from '../../../../lib/aws/workflow/invoke-function';
import { compile } from '../../../../lib/compile/compile';
import { count } from '../../../../lib/plan/slicers';
import { MLP_PATH, addPipeline, errorOf, newStack, shortTemplate } from '../../../support/pipeline-stack';
import { type StateMachineDefinition, unassignedVariables } from '../../../support/unassigned-variables';
import { writtenPlan } from '../../../support/written-plan';

type AslValidator = (definition: unknown) => { isValid: boolean; errorsText: () => string };
const validate = jest.requireActual<AslValidator>('asl-validator');

interface Definition extends StateMachineDefinition {
  readonly QueryLanguage?: string;
}

/** Returns the definition of a user's state machine that contains fragments of a pipeline. */
function machine(
  build: (stack: Stack, pipeline: ReturnType<typeof addPipeline>) => sfn.IChainable,
  queryLanguage?: sfn.QueryLanguage,
) {
  const stack = newStack();
  const pipeline = addPipeline(stack, 'Pipeline', { slicing: Slicing.count(2) });
  new sfn.StateMachine(stack, 'Mine', {
    definitionBody: sfn.DefinitionBody.fromChainable(build(stack, pipeline)),
    ...(queryLanguage && { queryLanguage }),
  });
  const { resource } = shortTemplate(stack);
  const text = (resource('Mine').DefinitionString as string).replaceAll('{AWS::Partition}', 'aws');
  return { definition: JSON.parse(text) as Definition, resource };
}

const LANGUAGES: [string, sfn.QueryLanguage | undefined][] = [
  ['JSONPath', undefined],
  ['JSONata', sfn.QueryLanguage.JSONATA],
];

describe.each(LANGUAGES)('a fragment in a %s state machine', (_, language) => {
  const { definition, resource } = machine(
    (stack, pipeline) =>
      sfn.Chain.start(new sfn.Pass(stack, 'Before'))
        .next(pipeline.asFragment(stack, 'Ocr'))
        .next(new sfn.Pass(stack, 'After')),
    language,
  );

  test('is between the states of the user, with prefixed state names', () => {
    expect(Object.keys(definition.States)).toEqual([
      'Before',
      'Ocr: Request',
      'Ocr: Warm start 00',
      'Ocr: Slice 01',
      'After',
      'Ocr: Failed',
    ]);
    expect(definition.States).toMatchObject({
      Before: { Next: 'Ocr: Request' },
      'Ocr: Slice 01': { Next: 'After' },
    });
  });

  test('uses its input as the request, and starts a new run each time', () => {
    expect(definition.States['Ocr: Request']).toMatchObject({
      Assign: {
        Ocr_input: '{% $states.input %}',
        Ocr_run: "{% $join($split($states.context.Execution.Id, ':')[[-2..-1]], '/') & '/' & $uuid() %}",
      },
    });
    const [first, warmUp] = definition.States['Ocr: Warm start 00'].Branches as Definition[];
    const sent = { run: '{% $Ocr_run %}' };
    expect(first.States['Ocr: Slice 00']).toMatchObject({
      Arguments: { Payload: { ...sent, request: boundedRequest('$Ocr_input') } },
    });
    expect(warmUp.States['Ocr: Warm-up 01']).toMatchObject({ Arguments: { Payload: sent } });
    expect(definition.States['Ocr: Slice 01']).toMatchObject({ Arguments: { Payload: sent } });
  });

  test('carries small tensors in variables with its prefix', () => {
    const start = definition.States['Ocr: Warm start 00'];
    const [first] = start.Branches as Definition[];
    expect(first.States['Ocr: Slice 00']).toMatchObject({
      Arguments: { Payload: { maxTensors: expect.stringMatching(/ : 49152 %}$/) as string } },
    });
    expect(start.Assign).toMatchObject({ Ocr_tensors0: '{% $states.result[0].tensors0 %}' });
    expect(definition.States['Ocr: Slice 01']).toMatchObject({
      Arguments: { Payload: { tensors: { 0: '{% $Ocr_tensors0 %}' } } },
    });
  });

  test('makes a valid definition, and reads no variable before it is assigned', () => {
    const { isValid, errorsText } = validate(structuredClone(definition));
    expect(errorsText()).toBe('');
    expect(isValid).toBe(true);
    expect(unassignedVariables(definition)).toEqual([]);
  });

  test('has states in JSONata', () => {
    const own = Object.entries(definition.States).filter(([name]) => name.startsWith('Ocr: '));
    const languages = own.map(([, state]) => (state as { QueryLanguage?: string }).QueryLanguage);
    expect(new Set(languages)).toEqual(new Set([language === undefined ? 'JSONata' : undefined]));
  });

  test("allows the user's state machine to call the slices", () => {
    const { PolicyDocument } = resource('Mine/Role/DefaultPolicy') as {
      PolicyDocument: { Statement: object[] };
    };
    expect(PolicyDocument.Statement).toEqual(
      [1, 0].map((slice) => ({
        Action: 'lambda:InvokeFunction',
        Effect: 'Allow',
        Resource: `{Pipeline/slice-0${slice}/Function.Arn}:*`,
      })),
    );
  });
});

test('two fragments in one state machine have different state names', () => {
  const { definition } = machine((stack, pipeline) =>
    pipeline.asFragment(stack, 'One').next(pipeline.asFragment(stack, 'Two').toSingleState()),
  );
  expect(Object.keys(definition.States)).toEqual([
    'One: Request',
    'One: Warm start 00',
    'One: Slice 01',
    'Two',
    'One: Failed',
  ]);
  const { Branches } = definition.States.Two as unknown as { Branches: Definition[] };
  expect(Object.keys(Branches[0].States)).toContain('Two: Warm start 00');
});

test.each([
  [undefined, undefined],
  [sfn.QueryLanguage.JSONATA, '{% $states.errorOutput.Error %}'],
])('of a state with the language %s, CDK writes the outputs of a catch as %s', (queryLanguage, written) => {
  const { definition } = machine((stack, pipeline) => {
    const read = pipeline.asFragment(stack, 'Read').toSingleState(queryLanguage && { queryLanguage });
    return read.addCatch(sfn.Pass.jsonata(stack, 'Caught'), { outputs: '{% $states.errorOutput.Error %}' });
  }, sfn.QueryLanguage.JSONATA);
  const { Catch } = definition.States.Read as unknown as { Catch: { Output?: string }[] };
  expect(Catch.map(({ Output }) => Output)).toEqual([written]);
});

test('a fragment in a Map state makes a valid definition', () => {
  const { definition } = machine((stack, pipeline) => {
    const map = new sfn.Map(stack, 'Each');
    map.itemProcessor(pipeline.asFragment(stack, '1st model'));
    return map;
  });
  const { isValid, errorsText } = validate(structuredClone(definition));
  expect(errorsText()).toBe('');
  expect(isValid).toBe(true);
});

describe('asFragment', () => {
  test('refuses another stack, and accepts a nested stack', () => {
    const stack = newStack();
    const pipeline = addPipeline(stack, 'Pipeline');
    expect(errorOf(() => pipeline.asFragment(new Stack(stack, 'Other'), 'Ocr'))).toBe(
      "a fragment must be in the stack of its pipeline, got 'Stack/Other': start the pipeline's stateMachine from yours " +
        'instead, because an export to another stack blocks updates of function versions',
    );
    // A nested stack is deployed together with its parent.
    pipeline.asFragment(new NestedStack(stack, 'Nested'), 'Ocr');
  });

  test('refuses an id of more than 40 characters', () => {
    const stack = newStack();
    const pipeline = addPipeline(stack, 'Pipeline');
    expect(errorOf(() => pipeline.asFragment(stack, 'x'.repeat(41)))).toBe(
      'the id of a fragment must have at most 40 characters, got 41: shorten it, because the names of states start with it',
    );
  });
});

test('fragments whose ids become the same variable prefix have different variables', () => {
  const { definition } = machine((stack, pipeline) =>
    pipeline.asFragment(stack, 'A-B').next(pipeline.asFragment(stack, 'A_B')),
  );
  const names = Object.values(definition.States).flatMap(({ Assign = {} }) => Object.keys(Assign));
  expect(names).toEqual(expect.arrayContaining(['A_B_run', expect.stringMatching(/^A_B_[0-9a-f]{8}_run$/)]));
});

test.each([
  ['half of an Express execution at most, because it may be in one', 600, 150],
  ['less if the model is fast', 12, 12],
])('a fragment waits for the whole model for %s', (_, planned, seconds) => {
  const { plan } = writtenPlan(compile(MLP_PATH, count(2), { dimensions: { batch: 1 } }));
  const { definition } = machine((stack, { functions: [first, second] }) => {
    return new PipelineFragment(stack, 'Ocr', {
      plan: { ...plan, deploymentDigest: '0'.repeat(64) },
      functions: [first, second].map(userFunction),
      warmsUp: false,
      carriesTensors: false,
      whole: { fn: userFunction(first), askSeconds: planned },
    });
  });
  expect(definition.States['Ocr: Ask whole model']).toMatchObject({ TimeoutSeconds: seconds });
});
