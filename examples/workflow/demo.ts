/** Runs the state machine of `cdk.out` on this machine. The third drawing has a pixel too few. */
import { LocalCloud } from 'cdk-sliced-inference/local';

const DRAWINGS = [
  '...#. ..##. .#.#. #..#. ##### ...#. ...#.',
  '.###. #...# ....# ...#. ..#.. .#... #####',
  '##### ....# ...#. ..#.. .#... .#... .#..',
];

async function main(): Promise<void> {
  // Your state machine, not the pipeline inside. CDK made the id: it is in cdk.out/Workflow.template.json.
  const cloud = await LocalCloud.start('cdk.out', { pipeline: 'Workflow/ReadNumber1B1A0BD3' });
  const result = await cloud.execute({ drawings: DRAWINGS });
  console.log(JSON.stringify(result, null, 2));
  await cloud.close();
}

void main();
