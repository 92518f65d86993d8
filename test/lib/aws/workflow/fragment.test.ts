/** A pipeline as a fragment of the user's state machine. */
import { NestedStack, Stack } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { type SlicedInferencePipeline, Slicing } from '../../../../lib';
import { PipelineFragment } from '../../../../lib/aws/workflow/fragment';
import { userFunction } from '../../../../lib/aws/workflow/invoke-function';
import { compile } from '../../../../lib/compile/compile';
import { count } from '../../../../lib/plan/slicers';
import {
  MLP_PATH,
  type StateMachineDefinition,
  addPipeline,
  definitionOf,
  errorOf,
  newStack,
  shortTemplate,
} from '../../../support/pipeline-stack';
import { writtenPlan } from '../../../support/written-plan';

/** A state machine of the user that contains fragments of a pipeline. */
function machine(
  build: (stack: Stack, pipeline: SlicedInferencePipeline) => sfn.IChainable,
  queryLanguage?: sfn.QueryLanguage,
) {
  const stack = newStack();
  const pipeline = addPipeline(stack, 'Pipeline', { slicing: Slicing.count(2) });
  new sfn.StateMachine(stack, 'Mine', {
    definitionBody: sfn.DefinitionBody.fromChainable(build(stack, pipeline)),
    ...(queryLanguage && { queryLanguage }),
  });
  const template = shortTemplate(stack);
  return { ...template, States: definitionOf(template, 'Mine').States };
}

const { JSONATA } = sfn.QueryLanguage;

test.each([undefined, JSONATA])('a fragment in a state machine of the query language %s', (language) => {
  const { States, resource } = machine(
    (stack, pipeline) =>
      sfn.Chain.start(new sfn.Pass(stack, 'Before'))
        .next(pipeline.asFragment(stack, 'Ocr'))
        .next(new sfn.Pass(stack, 'After')),
    language,
  );
  expect(Object.keys(States)).toEqual([
    ...['Before', 'Ocr: Request', 'Ocr: Warm start 00', 'Ocr: Slice 01', 'After', 'Ocr: Failed'],
  ]);
  // Its input is the request, and each entry starts a new run.
  expect(States['Ocr: Request']).toMatchObject({
    Assign: {
      Ocr_input: '{% $states.input %}',
      Ocr_run: "{% $join($split($states.context.Execution.Id, ':')[[-2..-1]], '/') & '/' & $uuid() %}",
    },
  });
  const own = Object.entries(States).filter(([name]) => name.startsWith('Ocr: '));
  const languages = new Set(own.map(([, { QueryLanguage }]) => QueryLanguage));
  expect(languages).toEqual(new Set([language === undefined ? 'JSONata' : undefined]));
  // The user's state machine may call the slices.
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

test('two fragments in one state machine have different names of states and variables', () => {
  const { States } = machine((stack, pipeline) =>
    pipeline
      .asFragment(stack, 'A-B')
      .next(pipeline.asFragment(stack, 'A_B'))
      .next(pipeline.asFragment(stack, 'Two').toSingleState()),
  );
  const variables = Object.values(States).flatMap(({ Assign = {} }) => Object.keys(Assign));
  // These ids would become the same prefix.
  expect(variables).toEqual(
    expect.arrayContaining(['A_B_run', expect.stringMatching(/^A_B_[0-9a-f]{8}_run$/)]),
  );
  const [two] = States.Two.Branches as StateMachineDefinition[];
  expect(Object.keys(two.States)).toContain('Two: Warm start 00');
});

test.each([
  [undefined, undefined],
  [JSONATA, '{% $states.errorOutput.Error %}'],
])('of a state with the language %s, CDK writes the outputs of a catch as %s', (queryLanguage, written) => {
  const { States } = machine((stack, pipeline) => {
    const read = pipeline.asFragment(stack, 'Read').toSingleState(queryLanguage && { queryLanguage });
    return read.addCatch(sfn.Pass.jsonata(stack, 'Caught'), { outputs: '{% $states.errorOutput.Error %}' });
  }, JSONATA);
  expect(States.Read.Catch).toMatchObject([{ Next: 'Caught' }]);
  expect(States.Read.Catch?.[0].Output).toBe(written);
});

test('asFragment refuses another stack and a long id, and accepts a nested stack', () => {
  const stack = newStack();
  const pipeline = addPipeline(stack, 'Pipeline');
  expect(errorOf(() => pipeline.asFragment(new Stack(stack, 'Other'), 'Ocr'))).toContain(
    "a fragment must be in the stack of its pipeline, got 'Stack/Other': start the pipeline's stateMachine from yours",
  );
  expect(errorOf(() => pipeline.asFragment(stack, 'x'.repeat(41)))).toContain(
    'the id of a fragment must have at most 40 characters, got 41',
  );
  // A nested stack is deployed together with its parent.
  pipeline.asFragment(new NestedStack(stack, 'Nested'), 'Ocr');
});

test.each([
  ['half of an Express execution at most, because it may be in one', 600, 150],
  ['less if the model is fast', 12, 12],
])('a fragment waits for the whole model for %s', (_, planned, seconds) => {
  const { plan } = writtenPlan(compile(MLP_PATH, count(2), { dimensions: { batch: 1 } }));
  const { States } = machine((stack, { functions: [first, second] }) => {
    return new PipelineFragment(stack, 'Ocr', {
      plan: { ...plan, deploymentDigest: '0'.repeat(64) },
      functions: [first, second].map(userFunction),
      warmsUp: false,
      tensorsInState: false,
      whole: { fn: userFunction(first), askSeconds: planned },
    });
  });
  expect(States['Ocr: Ask whole model']).toMatchObject({ TimeoutSeconds: seconds });
});
