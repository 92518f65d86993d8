/** Runs the state machine of `cdk.out` on this machine. The third drawing has a pixel too few. */
import { LocalCloud } from 'cdk-sliced-inference/local';

const DRAWINGS = [
  '...#. ..##. .#.#. #..#. ##### ...#. ...#.',
  '.###. #...# ....# ...#. ..#.. .#... #####',
  '##### ....# ...#. ..#.. .#... .#... .#..',
];

async function main(): Promise<void> {
  // Your state machine, not that of the pipeline.
  const cloud = await LocalCloud.start('cdk.out', { pipeline: 'Workflow/ReadNumber' });
  const result = await cloud.execute({ drawings: DRAWINGS });
  console.log(JSON.stringify(result, null, 2));
  await cloud.close();
}

main().catch((error: unknown) => {
  console.error(String(error));
  process.exitCode = 1;
});
