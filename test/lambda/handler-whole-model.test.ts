/** The function of the whole model: it serves a run if it has loaded the model, and loads only when it is told to. */
import type { ColdAnswer, LoadAnswer, SliceAnswer } from '../../contract/slice-event';
import { ENV } from '../../contract/environment';
import { event, failure, SliceHandlers } from '../support/slice-handler';

const CLAIM = 'runs/loader-of-pipeline.json';

let own: SliceHandlers;
beforeEach(() => {
  own = new SliceHandlers();
});
afterEach(() => {
  own.remove();
});

function wholeModel() {
  const handler = own.handler(0, { [ENV.loaderKey]: CLAIM });
  return {
    handler,
    ask: () => handler(event({ ifWarm: true })) as Promise<ColdAnswer | SliceAnswer>,
    load: () =>
      handler(event({ load: true, askedAt: Date.now(), request: undefined })) as Promise<LoadAnswer>,
  };
}

test('a cold function answers at once, without a request to S3', async () => {
  const { ask } = wholeModel();
  own.objects.reads.length = 0;
  expect(await ask()).toEqual({ cold: true });
  expect(await ask()).toEqual({ cold: true });
  expect(own.objects.reads).toEqual([]);
  expect(own.lines).toMatchObject([
    { level: 'INFO', message: 'whole model is cold', whole: true, s3Gets: 0, s3Puts: 0 },
    { message: 'whole model is cold' },
  ]);
});

test('a function that was told to load serves the next run', async () => {
  const { ask, load } = wholeModel();
  expect(await load()).toMatchObject({ loaded: 'now', loadMs: expect.any(Number) as number });
  const answer = (await ask()) as SliceAnswer;
  expect(answer.timing).toMatchObject({ whole: true, cold: false, warmedUp: false, loadMs: 0 });
  expect(answer.timing.slice).toBeUndefined();
  expect(own.lines).toMatchObject([
    { message: 'whole model is loaded', whole: true, loaded: 'now', s3Puts: 2 },
    { message: 'whole model ran', whole: true },
  ]);
});

test('a function that has loaded does not claim the load again', async () => {
  const { load } = wholeModel();
  await load();
  own.objects.reads.length = 0;
  expect(await load()).toEqual({ loaded: 'before', loadMs: 0 });
  expect(own.objects.reads).toEqual([]);
});

test('a sandbox that is told to load while another one does stays cold, and serves no run', async () => {
  const { ask, load } = wholeModel();
  own.objects.put(CLAIM, Buffer.from(JSON.stringify({ loader: 'other', until: Date.now() + 600_000 })));
  expect(await load()).toEqual({ loaded: 'elsewhere', loadMs: 0 });
  expect(await ask()).toEqual({ cold: true });
  expect(own.lines).toMatchObject([{ message: 'another sandbox loads the whole model' }, {}]);
});

test('a load that fails frees the claim, and the next one loads', async () => {
  const { ask, load } = wholeModel();
  own.objects.failure = (key) => (key.startsWith('assets/') ? new Error('reset') : undefined);
  await expect(load()).rejects.toThrow('reset');
  expect(await ask()).toEqual({ cold: true });
  expect(own.lines[0]).toMatchObject({ level: 'WARN', message: 'whole model failed', whole: true });
  own.objects.failure = () => undefined;
  expect(await load()).toMatchObject({ loaded: 'now' });
});

test('a load whose claim cannot be freed has loaded', async () => {
  const { ask, load } = wholeModel();
  own.objects.replace = () => Promise.reject(new Error('unavailable'));
  own.objects.failure = (key) => (key === CLAIM ? new Error('unavailable') : undefined);
  expect(await load()).toMatchObject({ loaded: 'now' });
  expect(await ask()).toMatchObject({ timing: { whole: true } });
});

test('the function of a slice does not load for later runs', async () => {
  expect(await failure(own.handler(0), event({ load: true, askedAt: 0 }))).toMatchObject({
    name: 'SliceFailed',
    cause: { message: expect.stringContaining('only the function of the whole model') as string },
  });
});

test.each([
  { ifWarm: false },
  { ifWarm: 'yes' },
  { load: 1, askedAt: 0 },
  { load: true },
  { load: true, askedAt: 'now' },
  { askedAt: 0 },
  { ifWarm: true, load: true },
  { warmUp: true, ifWarm: true },
])('refuses the marks %j', async (marks) => {
  const { handler } = wholeModel();
  expect(await failure(handler, event(marks))).toMatchObject({ name: 'SliceFailed' });
});

test('refuses to serve a run of another deployment', async () => {
  const { handler } = wholeModel();
  const other = event({ ifWarm: true, deploymentDigest: 'f'.repeat(64) });
  expect(await failure(handler, other)).toMatchObject({ name: 'PlanChanged' });
});
