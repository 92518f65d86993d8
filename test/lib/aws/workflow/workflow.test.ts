/** The states of a run. `test/lib/pipeline/snapshot.test.ts` has the whole definition of three slices, with its retries and its comment. */
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import jsonata from 'jsonata';
import { type SlicedInferencePipelineProps, Slicing, WarmUp } from '../../../../lib';
import { mlp, saveModel } from '../../../support/model-builder';
import { type StateMachineDefinition, definitionOf, pipelineStack } from '../../../support/pipeline-stack';

type Props = Partial<SlicedInferencePipelineProps>;
type Payload = Readonly<Record<string, unknown>>;

const three = { slicing: Slicing.count(3) };
/** Without warm-up states. */
const cold = { ...three, warmUp: WarmUp.NEVER };
const standard = { stateMachineType: sfn.StateMachineType.STANDARD };

const machineOf = (props: Props): StateMachineDefinition => definitionOf(pipelineStack(props));

function payloadOf({ States }: StateMachineDefinition, state: string): Payload {
  return (States[state].Arguments as { Payload: Payload }).Payload;
}

test('a Standard machine leaves failures to Step Functions, so that a redrive runs the task again', () => {
  for (const [name, { Type, Catch }] of Object.entries(machineOf({ ...cold, ...standard }).States))
    expect([name, Type, Catch]).toEqual([name, 'Task', undefined]);
});

describe('small tensors', () => {
  test('are carried in variables, from the slice that computes them to the slice that reads them', async () => {
    const definition = machineOf(cold);
    const [first, second] = ['Slice 00', 'Slice 01'].map((state) => payloadOf(definition, state));
    expect(first).toMatchObject({ maxTensors: 49_152 });
    expect(second).toMatchObject({ tensors: { 0: '{% $tensors0 %}' } });
    // They leave room for the request in the event of the last slice.
    const limitFor = (text: string): Promise<unknown> => {
      const states = { context: { Execution: { Input: { text } } } };
      return jsonata(String(second.maxTensors).slice(2, -2)).evaluate({}, { states });
    };
    expect(await limitFor('x'.repeat(131_072 - 11))).toBe(49_152);
    expect(await limitFor('x'.repeat(131_072 - 10))).toBe(0);
    expect(await limitFor('\u20ac'.repeat(43_688))).toBe(0);
  });

  test('are in S3 if they are planned to be large, or with a KMS key', () => {
    const encrypted = pipelineStack((stack) => ({ ...cold, encryptionKey: new kms.Key(stack, 'Key') }));
    for (const definition of [machineOf({ ...cold, dimensions: { batch: 1000 } }), definitionOf(encrypted)])
      expect(JSON.stringify(definition)).not.toMatch(/tensors\d|maxTensors/);
  });
});

test.each<[string, Props, string]>([
  ['occur in Express machines by default', three, 'Warm start 00'],
  ['do not occur in Standard machines of a small model', { ...three, ...standard }, 'Slice 00'],
  ['occur with ALWAYS', { ...three, ...standard, warmUp: WarmUp.ALWAYS }, 'Warm start 00'],
  ['do not occur with a single slice', { slicing: Slicing.count(1), warmUp: WarmUp.ALWAYS }, 'Slice 00'],
])('warm-ups %s', (_, props, start) => {
  expect(machineOf(props).StartAt).toBe(start);
});

test('the comment keeps tensor names with any characters', () => {
  const name = 'in"put\\{% $x %} \n${AWS::Region} é';
  const { graph } = mlp(1);
  const renamed = JSON.parse(
    JSON.stringify(graph, (_, value: unknown) => (value === 'x' ? name : value)),
  ) as typeof graph;
  const modelPath = saveModel({ graph: { ...renamed, initializer: graph.initializer ?? [] } });
  const comment: unknown = JSON.parse(String(Reflect.get(machineOf({ modelPath }), 'Comment')));
  expect(comment).toMatchObject({ slicedInference: { inputs: [{ name }] } });
});

const { STANDARD, EXPRESS } = sfn.StateMachineType;
test.each([
  ['a Standard execution', STANDARD, 'execution:machine:monday', 'machine/monday/1767225600000'],
  ['an Express execution', EXPRESS, 'express:machine:monday:0b1c', 'monday/0b1c'],
])('the name of the run of %s', async (_, stateMachineType, id, name) => {
  const definition = machineOf({ slicing: Slicing.count(1), stateMachineType });
  const source = String(payloadOf(definition, 'Slice 00').run).replace(/^\{%|%\}$/g, '');
  const StartTime = '2026-01-01T00:00:00.000Z';
  const Execution = { Id: `arn:aws:states:us-east-1:123456789012:${id}`, StartTime };
  expect(await jsonata(source).evaluate({}, { states: { context: { Execution } } })).toBe(name);
});
