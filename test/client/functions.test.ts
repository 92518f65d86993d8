/** How often the client calls a function, by what Lambda answers. */
import { SlicedInferenceClient } from '../../client';

const SIGNATURE = {
  ...{ version: 1, deploymentDigest: 'a'.repeat(64), threads: 1, bucket: 'bucket' },
  ...{ inputs: [], outputs: [] },
};

type Answer = object | Error;

const failed = (errorType: string): Answer => ({
  FunctionError: 'Unhandled',
  Payload: Buffer.from(JSON.stringify({ errorType, errorMessage: 'no' })),
});
const refused = (name: string, httpStatusCode: number): Error =>
  Object.assign(new Error(name), { name, $fault: 'server', $metadata: { httpStatusCode } });
const lost = Object.assign(new Error('reset'), { code: 'ECONNRESET', $metadata: {} });

/** A Lambda that gives these answers before it works. */
function lambda(before: { readonly describe?: readonly Answer[]; readonly invoke?: readonly Answer[] }) {
  const left = { describe: [...(before.describe ?? [])], invoke: [...(before.invoke ?? [])] };
  const sends = { describe: 0, invoke: 0 };
  const send = async ({ input }: { readonly input: { readonly Payload: Buffer } }): Promise<object> => {
    const kind = input.Payload.toString().includes('describe') ? 'describe' : 'invoke';
    sends[kind]++;
    const answer = left[kind].shift();
    if (answer instanceof Error) throw answer;
    const $metadata = { requestId: 'id' };
    const value = kind === 'describe' ? { signature: SIGNATURE } : { text: 'done' };
    return Promise.resolve({ $metadata, Payload: Buffer.from(JSON.stringify(value)), ...answer });
  };
  const pollInterval = { first: 1, longest: 1 };
  const model = new SlicedInferenceClient({ functionName: 'f', lambda: { send }, pollInterval });
  return { model, sends };
}

const throttled = refused('TooManyRequestsException', 429);
const notReady = refused('ResourceConflictException', 409);

test.each<[what: string, kind: 'describe' | 'invoke', answers: readonly Answer[]]>([
  ['a throttled question', 'describe', Array<Answer>(5).fill(throttled)],
  ['a question of a function that is not ready', 'describe', [notReady, notReady, notReady]],
  ['a question whose sandbox was killed', 'describe', [failed('Runtime.ExitError')]],
  ['throttled calls', 'invoke', Array<Answer>(5).fill(throttled)],
  ['calls of a function that is not ready', 'invoke', [notReady, notReady, notReady]],
  ['two killed sandboxes', 'invoke', [failed('Runtime.ExitError'), failed('Sandbox.Timedout')]],
  ['a damaged file', 'invoke', [failed('WeightsCorrupt')]],
  ['two lost answers', 'invoke', [lost, lost]],
])(
  'repeats %s',
  async (_, kind, answers) => {
    const { model, sends } = lambda({ [kind]: answers });
    expect((await model.invoke({ text: 'a' })).output).toEqual({ text: 'done' });
    expect(sends[kind]).toBe(answers.length + 1);
  },
  20_000,
);

test.each<[name: string, answers: readonly Answer[], sends: number]>([
  ['InvalidInput', [failed('InvalidInput')], 1],
  ['Runtime.ExitError', Array<Answer>(3).fill(failed('Runtime.ExitError')), 3],
  ['SliceFailed', [failed('SliceFailed'), failed('SliceFailed')], 2],
  ['ECONNRESET', [lost, lost, lost], 3],
  ['AccessDeniedException', [refused('AccessDeniedException', 403)], 1],
])(
  'gives up after %s',
  async (name, answers, most) => {
    const { model, sends } = lambda({ invoke: answers });
    await expect(model.invoke({ text: 'a' })).rejects.toMatchObject({ name });
    expect(sends.invoke).toBe(most);
  },
  20_000,
);

test('takes names and ARNs, and calls the alias live without another', () => {
  const names: string[] = [];
  const send = ({ input }: { input: { FunctionName: string; Qualifier: string } }) => {
    names.push(`${input.FunctionName} ${input.Qualifier}`);
    return Promise.reject(refused('AccessDeniedException', 403));
  };
  const arn = 'arn:aws:lambda:eu-west-1:111122223333:function:f';
  const ask = (options: object) => new SlicedInferenceClient({ ...options, lambda: { send } }).describe();
  return Promise.allSettled([
    ask({ functionName: 'f' }),
    ask({ functionName: 'f:7' }),
    ask({ functionName: arn }),
    ask({ stateMachineArn: `${arn}:live` }),
  ]).then(() => {
    expect(names).toEqual(['f live', 'f 7', `${arn} live`, `${arn} live`]);
  });
});

test.each<[message: string, options: object]>([
  ["option functionName must be the name or the ARN of a function, got 'a/b'", { functionName: 'a/b' }],
  ['option functionName must be the name or the ARN of a function, got a number', { functionName: 7 }],
  [
    'option functionName cannot be combined with stateMachineArn',
    { functionName: 'f', stateMachineArn: 'arn:aws:states:eu-west-1:111122223333:stateMachine:S' },
  ],
  ['option stateMachineArn must be the ARN of a state machine, got nothing', {}],
])('refuses: %s', (message, options) => {
  expect(() => new SlicedInferenceClient(options)).toThrow(message);
});
