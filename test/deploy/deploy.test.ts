/**
 * `npm run check:deploy`: deploys stacks with CDK's command line to MiniStack, an emulator of AWS that knows nothing of this project,
 * and compares each result with ONNX Runtime on the whole model.
 */
import { temporaryFolder } from '../support/temporary-folder';
import { Cloud } from './cloud';
import { embeds } from './embeddings';
import { live } from './life';
import { ownStacks } from './stacks';

/** Each takes half a minute on two idle cores. */
const LIMIT_MS = 900_000;

let cloud: Cloud | undefined;

beforeAll(async () => {
  cloud = await Cloud.start(temporaryFolder());
});

afterAll(() => {
  cloud?.end();
});

test.each(ownStacks(temporaryFolder()))(
  '$title',
  async (subject) => {
    if (cloud !== undefined) await live(subject, cloud);
  },
  LIMIT_MS,
);

test(
  'the example of embeddings answers the client from npm at its URL',
  async () => {
    if (cloud !== undefined) await embeds(cloud);
  },
  LIMIT_MS,
);
