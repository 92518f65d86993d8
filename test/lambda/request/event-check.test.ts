/** Events that the state machine sends, and events that someone else may send. */
import { checkEvent, loggedCall } from '../../../lambda/request/event-check';
import { event, failure, sliceHandlers } from '../../support/slice-handler';
import { DEPLOYMENT_DIGEST } from '../../support/tiny-slice';

const slices = sliceHandlers();
const UUID = '0f0e0d0c-0000-4000-8000-000000000000';

/** JSON that is nested far deeper than the stack is high. */
const NESTED: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));

describe('an event', () => {
  it.each([
    ['of a Standard execution', 'machine/name/1764000000000'],
    ['of an Express execution', `name/${UUID}`],
    ['of a fragment in an Express execution', `name/${UUID}/${UUID}`],
    ['of a fragment in a distributed map', `machine/label/${UUID}/${UUID}`],
    ['of an execution with an odd name', "machine/.it's(1)=@+!\u65e5\u672c\u{1f600}..a/1764000000000"],
    ['of an execution with a long name', `${'m'.repeat(80)}/${'\u{1f600}'.repeat(80)}/1764000000000`],
  ])('%s is accepted', (_, run) => {
    expect(() => {
      checkEvent(event({ run }), { deploymentDigest: DEPLOYMENT_DIGEST });
    }).not.toThrow();
    expect(loggedCall(event({ run }), undefined, {})).toEqual({ run });
  });

  const marks = [
    ...[{ warmUp: 'yes' }, { warmUp: false }, { ifWarm: false }, { ifWarm: 'yes' }],
    ...[
      { ifWarm: true, load: true },
      { warmUp: true, ifWarm: true },
      { load: 1, askedAt: 0 },
    ],
    ...[{ load: true }, { load: true, askedAt: 'now' }, { askedAt: 0 }, { tensors: ['AAAA'] }],
    ...[{ tensors: null }, { tensors: 's3' }, { maxTensors: '10' }, { maxTensors: -1 }],
    ...[{ maxTensors: 0.5 }, { maxTensors: 98_305 }, { version: 2 }],
  ];
  const item = { index: 0, value: {} };
  const results = ['', '/', 'outputs', 'outputs/', 'outputs/a', 'outputs//', 'outputs/a//b/', 'results/a/'];
  const dots = ['outputs/./', 'outputs/../', 'outputs/a/../inputs/', 'outputs/a b/', 'outputs/a/\n'];
  const packs: unknown[] = [
    ...[{ items: item }, { items: [7] }, { items: [null] }, { items: [{}] }],
    ...[{ items: [item, { index: 0.5 }] }, { items: [{ index: '0' }] }, { items: NESTED }],
    ...[{ source: 'objects' }, { source: null }, { source: [] }, { handedOn: 'x' }, { handedOn: [7] }],
    ...[...results, ...dots, 7, null].map((resultsPrefix) => ({ resultsPrefix })),
    ...['a/b', '..', ' ', 'a'.repeat(33), 7, null].map((salt) => ({ salt })),
  ].map((pack) => ({ until: 1, ...pack }));
  const others: unknown[] = [null, [], 'pack', true, {}, { until: '1' }, { until: null }];

  it.each([
    { until: 1 },
    { until: 1, items: [], source: {} },
    { until: 1, items: [item, { index: 9 }], source: { kind: 'csv' }, handedOn: ['x', '../y'] },
    { until: 1, resultsPrefix: 'outputs/Stack-Nightly-1A2b3C/0123abcdef/', salt: '' },
    { until: 1, resultsPrefix: 'outputs/..a/b../.c/', salt: '01234567' },
  ])('with the pack %j is accepted', (pack) => {
    expect(() => {
      checkEvent(event({ pack }), { deploymentDigest: DEPLOYMENT_DIGEST });
    }).not.toThrow();
  });

  const unfit = Array.from(' *?#%:\0\n\u0085\u2028\ud800\uffff', (character) => `b${character}c`);
  const runs = [
    ...['', '/', 'name', 'name/', '/name', 'a//b', 'a/b/c/d/e', `a/${'b'.repeat(81)}`, 'x'.repeat(5000)],
    ...['a\\b/c', ...unfit.map((name) => `a/${name}`), 5, true, null, [], ['a/b'], { length: 3 }, NESTED],
  ];

  it.each<[unknown, string | undefined]>([
    ...[undefined, null, [], 'event', NESTED, {}].map((other): [unknown, undefined] => [other, undefined]),
    ...marks.map((mark): [unknown, string] => [event(mark), 'machine/run-1']),
    ...[...packs, ...others].map((pack): [unknown, string] => [event({ pack }), 'machine/run-1']),
    ...runs.map((run): [unknown, undefined] => [event({ run }), undefined]),
  ])(
    'of no state machine is refused before anything is read, and only its own run is logged: case %#',
    async (bad, run) => {
      expect(await failure(slices.sliceHandler(0), bad)).toEqual({
        name: 'SliceFailed',
        cause: {
          slice: 0,
          message: expect.stringContaining('start the state machine instead of the function') as string,
        },
      });
      expect(slices.objects.reads).toEqual([]);
      expect(slices.lines).toHaveLength(1);
      expect(slices.lines[0].run).toBe(run);
    },
  );

  it.each(['machine/../1764000000000', '../x', './name', 'machine/.', 'a/../../x'])(
    'of the run %s is refused, because its keys would lead elsewhere',
    async (run) => {
      expect(await failure(slices.sliceHandler(0), event({ run }))).toMatchObject({
        name: 'InvalidInput',
        cause: { message: expect.stringContaining('must not be named . or ..') as string },
      });
      expect(slices.objects.reads).toEqual([]);
    },
  );

  it.each<[unknown, string]>([
    ['0'.repeat(64), '0'.repeat(64)],
    ['0'.repeat(65), 'a string of length 65'],
    ['their secret', 'a string of length 12'],
    [{ toString: 1 }, 'an object'],
    [NESTED, 'a list of length 1'],
    [undefined, 'nothing'],
  ])(
    'of another deployment fails with PlanChanged before it loads anything: case %#',
    async (deploymentDigest, got) => {
      expect(await failure(slices.sliceHandler(0), event({ deploymentDigest }))).toMatchObject({
        name: 'PlanChanged',
        cause: {
          expected: DEPLOYMENT_DIGEST,
          got,
          message: expect.stringContaining('start the execution again') as string,
        },
      });
      expect(slices.objects.reads).toEqual([]);
    },
  );
});
