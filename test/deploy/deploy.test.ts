/**
 * `npm run check:deploy`: deploys stacks with CDK's command line to MiniStack, an emulator of AWS that knows nothing of this project,
 * and compares each result with ONNX Runtime on the whole model. `DEPLOY_ALL=1` deploys more stacks.
 */
import { temporaryFolder } from '../support/temporary-folder';
import { Cloud } from './cloud';
import { live } from './life';
import { ownStacks } from './stacks';

/** A stack of a hundred slices takes some minutes on two cores. */
const LIMIT_MS = 1_800_000;

let cloud: Cloud | undefined;

beforeAll(async () => {
  cloud = await Cloud.start(temporaryFolder());
});

afterAll(() => {
  cloud?.end();
});

const chosen = ownStacks(temporaryFolder()).filter(
  ({ isSelected }) => isSelected || process.env.DEPLOY_ALL !== undefined,
);

test.each(chosen)(
  '$title',
  async (subject) => {
    if (cloud !== undefined) await live(subject, cloud);
  },
  LIMIT_MS,
);
