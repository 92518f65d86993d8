/** Runs the pipeline of `cdk.out` on this machine, and prints the result and which functions used the keys. */
import { infer, LocalCloud } from 'cdk-sliced-inference/local';
import { tensorFrom, toNestedArray, type RawTensor } from 'cdk-sliced-inference/client';

const NINE = '.###. #...# #...# .#### ....# ...#. .##..';

async function main(): Promise<void> {
  const uses = new Set<string>();
  const cloud = await LocalCloud.start('cdk.out', {
    onAccess: ({ principal, action }) => {
      if (action.startsWith('kms:') && principal.includes(':role/'))
        uses.add(`${principal.split('/').at(-1) ?? ''}  ${action}`);
    },
  });
  const data = Array.from(NINE.matchAll(/[#.]/g), ([pixel]) => Number(pixel === '#'));
  const pixels = tensorFrom('float32', [1, data.length], Float32Array.from(data));
  const result = await infer(cloud, new Map<string, RawTensor>([['pixels', pixels]]));
  await cloud.close();
  if (result.status === 'FAILED') throw new Error(`${result.error}: ${result.cause}`);
  const [[probabilities]] = Array.from(result.outputs.values(), toNestedArray) as number[][][];
  console.log(`a ${probabilities.indexOf(Math.max(...probabilities))}`);
  console.log([...uses].sort().join('\n'));
}

main().catch((error: unknown) => {
  console.error(String(error));
  process.exitCode = 1;
});
