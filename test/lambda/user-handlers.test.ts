/** Failures of the user's own functions inside a function. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { handled } from '../../lambda/user-handlers';
import { temporaryFolder } from '../support/temporary-folder';

async function failure(source: string, name = 'handler') {
  const file = path.join(temporaryFolder(), 'index.cjs');
  fs.writeFileSync(file, source);
  const error: unknown = await handled('preprocess', { file, name }, {}, undefined).catch(
    (thrown: unknown) => thrown,
  );
  const { name: found, message } = error as Error;
  return { name: found, cause: JSON.parse(message) as object };
}

const step = 'preprocess';

test.each<[what: string, source: string, name: string, cause: object]>([
  [
    'an error',
    "exports.handler = () => { throw new RangeError('too far'); }",
    'RangeError',
    { step, message: 'too far' },
  ],
  ['no error', "exports.handler = async () => { throw 'a text'; }", 'Error', { step, message: 'a text' }],
  // Nobody should look for the fault in the model.
  [
    'the name of a slice',
    "exports.handler = () => { throw Object.assign(new Error('no'), { name: 'PlanChanged' }); }",
    'HandlerError',
    { step, message: 'PlanChanged: no' },
  ],
  [
    'a failure of the package',
    `exports.handler = () => { throw Object.assign(new Error('{"step":"preprocess","message":"bad","tensor":"x"}'), { name: 'InvalidInput' }); }`,
    'InvalidInput',
    { step, message: 'bad', tensor: 'x' },
  ],
])('keeps %s', async (_, source, name, cause) => {
  expect(await failure(source)).toEqual({ name, cause });
});

test('a missing export, and a file that does not load, are failures of the step too', async () => {
  expect(await failure('', 'other')).toMatchObject({
    name: 'TypeError',
    cause: {
      step,
      message: expect.stringContaining("must export the function 'other', got undefined") as string,
    },
  });
  expect(await failure('exports.handler = (')).toMatchObject({ name: 'SyntaxError', cause: { step } });
});

test('a function that returns nothing answers null', async () => {
  const file = path.join(temporaryFolder(), 'index.cjs');
  fs.writeFileSync(file, 'exports.handler = () => undefined;');
  expect(await handled('postprocess', { file, name: 'handler' }, {}, undefined)).toBeNull();
});
