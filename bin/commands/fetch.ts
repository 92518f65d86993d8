/** `sliced-inference fetch ORGANIZATION/MODEL`: downloads an ONNX model from the Hugging Face hub. */
import { Command } from 'commander';
import { laidOut } from '../terminal/help';
import { quoted, SlicedInferenceError } from '../../lib/errors';
import { fetchModel, type FetchOptions } from '../fetch';
import { isOnnx } from '../fetch/choose';
import { isInnerPath } from '../fetch/repository';
import { print, printJson } from '../terminal/print';
import { clearProgress } from '../terminal/progress';

const HELP = `
Prints the path of the model's file, and nothing else, so that a shell can pass it on. Files of external data come along.
The files are in the cache of the hub's own tools (HF_HOME, HF_HUB_CACHE): what is there is not downloaded again. HF_TOKEN is
for gated and private models. Run the same command again to continue after a lost connection or Ctrl-C.

Examples:
  $ sliced-inference fetch Xenova/all-MiniLM-L6-v2  # lists the ONNX files
  $ M=$(sliced-inference fetch Xenova/all-MiniLM-L6-v2 --file onnx/model.onnx)
  $ sliced-inference plan "$M"`;

export function fetchCommand(): Command {
  return new Command('fetch')
    .description('download an ONNX model from the Hugging Face hub')
    .argument('<model>', 'organization and name of the model, as in its address')
    .option('--file <path>', 'the ONNX file, if there are several (they are listed without this flag)')
    .option('--revision <name>', 'branch, tag or commit', 'main')
    .option('--json', 'print path, commit and files as JSON')
    .addHelpText('after', laidOut(HELP))
    .action(async (model: string, { json, ...options }: FetchOptions & { readonly json?: boolean }) => {
      check(model, options);
      const fetched = await fetchModel(model, options);
      clearProgress();
      if (json) printJson(fetched);
      else print(`${fetched.path}\n`);
    });
}

const isName = (text: string): boolean =>
  /^[\w.-]+(\/[\w.-]+)?$/.test(text) && !/(^|\/)[.-]|\.\.|--|[.-](\/|$)/.test(text) && text.length <= 96;

/** Refuses what cannot be part of an address and of a path. */
function check(model: string, { file, revision }: FetchOptions): void {
  if (!isName(model)) {
    const inAddress = /^https?:\/\/[^/]+\/([\w.-]+\/[\w.-]+)/.exec(model)?.[1] ?? '';
    const name = isName(inAddress) ? inAddress : 'organization/model';
    throw refused('<model> must be a name on the hub', model, `pass a name such as ${name}`);
  }
  if (!isInnerPath(revision))
    throw refused('--revision must be a branch, a tag or a commit', revision, 'check its name');
  if (file !== undefined && !(isOnnx(file) && isInnerPath(file)))
    throw refused(
      "--file must be the path of an .onnx file in the model's repository",
      file,
      'leave it out for a list',
    );
}

function refused(what: string, got: string, advice: string): SlicedInferenceError {
  return new SlicedInferenceError(what, quoted(got), advice);
}
