/** Events that the state machine sends, and events that someone else may send. */
import { checkEvent, loggedFields } from '../../../lambda/request/event-check';
import { event, failure, SliceHandlers } from '../../support/slice-handler';
import { DEPLOYMENT_DIGEST } from '../../support/tiny-slice';

let slices: SliceHandlers;
beforeEach(() => (slices = new SliceHandlers()));
afterEach(() => {
  slices.remove();
});

const UUID = '0f0e0d0c-0000-4000-8000-000000000000';

/** JSON that is nested far deeper than the stack is high. */
function nested(): unknown {
  return JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));
}

describe('an event', () => {
  it.each([
    ['of a Standard execution', 'machine/name/1764000000000'],
    ['of an Express execution', `name/${UUID}`],
    ['of a fragment in a Standard execution', `machine/name/${UUID}`],
    ['of a fragment in an Express execution', `name/${UUID}/${UUID}`],
    ['of a fragment in a distributed map', `machine/label/${UUID}/${UUID}`],
    ['of an execution with an odd name', "machine/.it's(1)=@+!\u65e5\u672c\u{1f600}..a/1764000000000"],
    ['of an execution with a long name', `${'m'.repeat(80)}/${'\u{1f600}'.repeat(80)}/1764000000000`],
  ])('%s is accepted', (_, run) => {
    expect(() => {
      checkEvent(event({ run }), { deploymentDigest: DEPLOYMENT_DIGEST });
    }).not.toThrow();
    expect(loggedFields(event({ run }))).toEqual({ run });
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a list', []],
    ['text', 'event'],
    ['deep nesting', nested()],
    ['no fields', {}],
    ['another version', { ...event(), version: 2 }],
    ['a warm-up that is not true', event({ warmUp: 'yes' })],
    ['no warm-up', event({ warmUp: false })],
    ['tensors that are a list', event({ tensors: ['AAAA'] })],
    ['tensors that are null', event({ tensors: null })],
    ['tensors that are a text', event({ tensors: 's3' })],
    ['a limit that is a text', event({ maxTensors: '10' })],
    ['a negative limit', event({ maxTensors: -1 })],
    ['a fraction as limit', event({ maxTensors: 0.5 })],
    ['a limit above what an event can hold', event({ maxTensors: 98_305 })],
    ...[
      ...['', '/', 'name', 'name/', '/name', 'a//b', 'a/b/c/d/e', `a/${'b'.repeat(81)}`, 'x'.repeat(5000)],
      ...[
        'a/b c',
        'a/b*',
        'a/b?',
        'a/b#c',
        'a/b%2Fc',
        'a\\b/c',
        'a/b:c',
        'a/b\0',
        'a/b\n',
        'a/\u0085',
        'a/\u2028',
      ],
      ...['a/\ud800', 'a/\uffff', 5, true, null, [], ['a/b'], { length: 3 }, nested()],
    ].map((run): [string, unknown] => [
      `the run ${typeof run === 'object' ? 'of another kind' : JSON.stringify(run).slice(0, 20)}`,
      event({ run }),
    ]),
  ])('with %s is refused before anything is read, and its run is not logged', async (_, sliceEvent) => {
    const failed = await failure(slices.sliceHandler(0), sliceEvent);
    expect(failed).toEqual({
      name: 'SliceFailed',
      cause: {
        slice: 0,
        message:
          "the event does not come from this pipeline's state machine: start the state machine instead of the function",
      },
    });
    expect(slices.objects.reads).toEqual([]);
    expect(slices.lines).toHaveLength(1);
    const isOfRun =
      typeof sliceEvent === 'object' && JSON.stringify(loggedFields(sliceEvent)).includes('run-1');
    expect(slices.lines[0].run).toBe(isOfRun ? 'machine/run-1' : undefined);
  });

  it.each(['machine/../1764000000000', '../x', './name', 'machine/.', 'a/../../x'])(
    'of the run %s is refused, because its keys would lead elsewhere',
    async (run) => {
      const failed = await failure(slices.sliceHandler(0), event({ run }));
      expect(failed).toEqual({
        name: 'InvalidInput',
        cause: {
          slice: 0,
          message: 'an execution must not be named . or .., because keys in S3 contain its name: rename it',
        },
      });
      expect(slices.objects.reads).toEqual([]);
    },
  );

  it.each<[unknown, string]>([
    ['0'.repeat(64), '0'.repeat(64)],
    ['0'.repeat(65), 'a string of length 65'],
    ['their secret', 'a string of length 12'],
    [{ toString: 1 }, 'an object'],
    [nested(), 'a list of length 1'],
    [undefined, 'nothing'],
  ])(
    'of another deployment fails with PlanChanged, whatever the deployment is',
    async (deploymentDigest, got) => {
      const failed = await failure(slices.sliceHandler(0), event({ deploymentDigest }));
      expect(failed).toMatchObject({ name: 'PlanChanged', cause: { expected: DEPLOYMENT_DIGEST, got } });
    },
  );
});
