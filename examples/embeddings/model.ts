/** The files of the model, and what is known of it without AWS. */
import { execFileSync } from 'node:child_process';
import * as path from 'node:path';

export const MODEL = 'minilm/model.onnx';
export const TOKENIZER = 'minilm/tokenizer.json';

/** Where the batch finds its texts, unless an execution names another list in the same folder. */
export const TEXTS_KEY = 'inputs/texts/all.jsonl';

interface ModelInput {
  readonly name: string;
  /** Names of dimensions, or sizes. */
  readonly shape: readonly (string | number | null)[];
}

/** What `sliced-inference inspect --json` says of the model. */
export function modelInputs(): readonly ModelInput[] {
  const folder = path.dirname(require.resolve('cdk-sliced-inference/package.json'));
  const command = [path.join(folder, 'bin/sliced-inference.cjs'), 'inspect', MODEL, '--json'];
  const printed = execFileSync(process.execPath, command, { encoding: 'utf8' });
  return (JSON.parse(printed) as { readonly inputs: readonly ModelInput[] }).inputs;
}
