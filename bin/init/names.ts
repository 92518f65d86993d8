/** Names for an app, from the path of its model. They are valid in TypeScript, Python and CloudFormation, whatever the file is called. */
import * as path from 'node:path';

export interface AppNames {
  /** Such as `my-model`, the first part of file names. */
  readonly file: string;
  /** Such as `my_model`, the first part of the names of Python modules. */
  readonly module: string;
  /** Such as `MyModel`: the stack. Its class is `MyModelStack`, so no name is a keyword. */
  readonly stack: string;
}

/** A model in the cache of the Hugging Face hub. */
export interface HubFile {
  readonly repository: string;
  readonly revision: string;
  /** In the repository. */
  readonly file: string;
}

const MOST_CHARACTERS = 40;

/** https://huggingface.co/docs/huggingface_hub/guides/manage-cache */
const HUB_FILE = /\/models--([\w.-]+)\/snapshots\/([\w.-]+)\/(.+)$/;

export function hubFileOf(model: string): HubFile | undefined {
  const found = HUB_FILE.exec(path.resolve(model).replaceAll('\\', '/'));
  return found === null
    ? undefined
    : { repository: found[1].replaceAll('--', '/'), revision: found[2], file: found[3] };
}

/** In the hub, files are mostly called `model.onnx`, so the repository's name says more. */
export function appNames(model: string, hub?: HubFile): AppNames {
  const name = hub?.repository ?? model;
  const base = path.basename(name).replace(/\.onnx$/i, '');
  const plain = base.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  const joined = (plain.match(/[a-z0-9]+/g) ?? []).join('-').slice(0, MOST_CHARACTERS);
  const words = joined.split('-').filter((word) => word !== '');
  // A name cannot start with a digit, and a Python module called `test_stack` would be that of the test.
  if (words.length === 0 || /^(\d|test$)/.test(words[0])) words.unshift('model');
  return {
    file: words.join('-'),
    module: words.join('_'),
    stack: words.map((word) => word[0].toUpperCase() + word.slice(1)).join(''),
  };
}
