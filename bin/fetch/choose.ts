/** Chooses the ONNX file of a repository: the only one, or the one that --file names. */
import { quoted, SlicedInferenceError } from '../../lib/errors';
import { formatBytes, formatTable } from '../terminal/format';
import { clearProgress } from '../terminal/progress';
import { printLogLine } from '../terminal/print';
import type { HubFile } from './repository';

export function chooseFile(files: readonly HubFile[], repository: string): string {
  const models = files.filter(({ path }) => isOnnx(path)).sort((a, b) => (a.path < b.path ? -1 : 1));
  if (models.length === 1) return models[0].path;
  if (models.length === 0) {
    const got = `${files.length} ${files.length === 1 ? 'file' : 'files'} without one`;
    const advice = `export it, for example with \`optimum-cli export onnx --model ${repository} FOLDER\``;
    throw new SlicedInferenceError(`${quoted(repository)} must have an ONNX file`, got, advice);
  }
  clearProgress();
  const rows = models.map(({ path, size }) => {
    // By custom, the name of external data begins with that of the model. Which files a model names is known once it is here.
    const data = files.filter(
      (file) => file.path.startsWith(path) && /^[_.-]data/.test(file.path.slice(path.length)),
    );
    const bytes = data.reduce((sum, file) => sum + file.size, size);
    return [path, formatBytes(bytes)];
  });
  printLogLine(formatTable(['file', 'size'], rows));
  throw new SlicedInferenceError(
    `one of the ${models.length} ONNX files of ${quoted(repository)} must be chosen`,
    'no --file',
    `choose one with --file, such as --file ${models[0].path}`,
  );
}

export const isOnnx = (path: string): boolean => path.toLowerCase().endsWith('.onnx');

/** The file of that path. */
export function fileAt(
  files: readonly HubFile[],
  path: string,
  what: string,
  advice = 'leave --file out to list the ONNX files',
): HubFile {
  const found = files.find((file) => file.path === path);
  if (found) return found;
  throw new SlicedInferenceError(what, `no file ${quoted(path)}`, advice);
}
