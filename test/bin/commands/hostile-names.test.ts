/** Names of models, runs and failures come from outside. A terminal must not obey them, and they must not begin a line. */
import * as path from 'node:path';
import { callFailure } from '../../../bin/invoke/call-failure';
import { failureLine } from '../../../bin/outputs/failure-line';
import { InferenceError } from '../../../client';
import { type SlicedInferencePipelineProps, Slicing } from '../../../lib';
import { inform, warn } from '../../../lib/aws/annotate';
import { FLOAT, node, saveModel, temporaryFolder, value } from '../../support/model-builder';
import { addPipeline, errorOf, newStack } from '../../support/pipeline-stack';
import { refuse, succeed } from '../../support/run-cli';

/** Sets a title, clears the screen, forges a line, colors, and reverses the direction of text. */
const HOSTILE = '\u001b]0;title\u0007\u001b[2J\nerror: forged\r\u009b31m\u202e\u2028';

const OBEYED = /[^\P{Cc}\n]|[\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

const name = (first: string): string => `${first}${HOSTILE}`;

const model = saveModel({
  graph: {
    node: [
      { ...node('Tanh', [name('x')], [name('h')]), name: name('first') },
      { ...node('Exp', [name('h')], [name('y')]), name: name('second') },
    ],
    input: [value(name('x'), FLOAT, [name('batch'), 4])],
    output: [value(name('y'), FLOAT, [name('batch'), 4])],
  },
});

function expectHarmless(text: string): void {
  expect(text).not.toMatch(OBEYED);
  expect(text).not.toMatch(/^error: forged/m);
}

describe('hostile names of a model', () => {
  it.each([
    ['inspect', []],
    ['plan', ['--slices', '2']],
    ['slice', ['--slices', '2', '--out', path.join(temporaryFolder(), 'slices')]],
    ['verify', ['--slices', '2']],
  ])('do no harm in the text and in the JSON of %s', async (command, flags) => {
    const text = await succeed([command, model, ...flags]);
    expectHarmless(text);
    expect(text).toContain('\\x1b]0;title\\x07');
    const json = await succeed([command, model, ...flags, '--json']);
    expectHarmless(json);
    expect(JSON.stringify(JSON.parse(json))).toContain(JSON.stringify(HOSTILE).slice(1, -1));
  });

  it('do no harm in an error', async () => {
    const line = await refuse(['plan', model, '--at-tensors', name('x')]);
    expectHarmless(line);
  });
});

describe('hostile names in a synthesis', () => {
  /** CDK prints errors and annotations as they are. */
  it.each<[string, Partial<SlicedInferencePipelineProps>, RegExp]>([
    ['an unknown dimension', { dimensions: { wrong: 1 } }, /batch\\x1b\]0;title\\x07.*, got 'wrong'/],
    ['an unknown tensor', { slicing: Slicing.atTensors([name('none')]) }, /none\\x1b\]0;title\\x07/],
    ['an impossible size', { dimensions: { [name('batch')]: 0.5 } }, /batch\\x1b\]0;title\\x07/],
  ])('do no harm in the error of %s', (_, props, expected) => {
    const message = errorOf(() => addPipeline(newStack(), 'Pipeline', { modelPath: model, ...props }));
    expectHarmless(message);
    expect(message).toMatch(expected);
  });

  it('do no harm in annotations', () => {
    const stack = newStack();
    addPipeline(stack, 'Pipeline', { modelPath: model, dimensions: undefined });
    warn(stack, 'id', name('warning '));
    inform(stack, 'id', name('info '));
    inform(stack, 'other', name('info '));
    const texts = stack.node.findAll().flatMap(({ node }) => node.metadata.map(({ data }) => String(data)));
    const shown = texts.filter((text) => text.includes('\\x1b'));
    expect(shown.length).toBeGreaterThanOrEqual(4);
    for (const text of texts) expectHarmless(text);
  });
});

const ARN = 'arn:aws:states:eu-west-1:123456789012:stateMachine:machine';

it('hostile texts of AWS do no harm in the cause of an execution', () => {
  const cause = { message: name('bad'), tensor: name('x'), slice: 1 };
  const expected = 'bad\\x1b]0;title\\x07\\x1b[2J error: forged \\x9b31m\\u202e';
  const line = failureLine(name('SliceFailed'), cause, ARN);
  expectHarmless(`${line}\n`);
  expect(line).toContain(expected);
  const error = new InferenceError('SliceFailed', name('bad'), { executionArn: ARN, slice: 1 });
  expect(callFailure(error)?.line).toContain(expected);
});
