/** Functions of the user that run inside an `InferenceFunction`, before and after the model. */
import { hash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type * as esbuild from 'esbuild';
import { type CodeHandler, digestOfFiles, filesBelow } from '../aws/runtime-code';
import { SlicedInferenceError, quoted, systemReason } from '../errors';
import { knownAtSynth } from '../pipeline/known-at-synth';

/**
 * Your code in TypeScript or JavaScript, which an `InferenceFunction` calls before or after the model. It gets an event and a context, as the
 * handler of a Lambda function does. The handlers of `cdk-sliced-inference/client` work unchanged.
 *
 * @example
 * new InferenceFunction(stack, 'Classify', {
 *   modelPath: 'model.onnx',
 *   preprocess: InferenceHandler.fromFolder('preprocess'),
 * });
 */
export class InferenceHandler {
  /**
   * Bundles a file and what it imports with esbuild, which your project must have: `npm install --save-dev esbuild`.
   *
   * @param file path of a TypeScript or JavaScript file, absolute or relative to the working directory of the CDK app
   * @param handler name of the exported function, by default `handler`
   * @throws an error of one line if there is no such file, if it cannot be bundled, or if esbuild is missing
   */
  public static fromFile(file: string, handler = 'handler'): InferenceHandler {
    const entry = path.resolve(knownAtSynth(file, 'the file of a handler'));
    if (!/\.[cm]?[jt]s$/.test(entry)) throw notNode(file);
    requireFile(entry, file);
    return new InferenceHandler((step) => {
      const bundle = bundled(entry, file);
      return {
        entry: `${step}/index.js#${handler}`,
        digest: hash('sha256', bundle),
        write: (folder) => {
          fs.mkdirSync(path.join(folder, step), { recursive: true });
          fs.writeFileSync(path.join(folder, step, 'index.js'), bundle);
        },
      };
    });
  }

  /**
   * Deploys a folder as it is, with all its files.
   *
   * @param folder path of the folder, absolute or relative to the working directory of the CDK app
   * @param handler file without its extension, a dot, and the exported function, by default `index.handler`
   * @throws an error of one line if the folder has no such file
   */
  public static fromFolder(folder: string, handler = 'index.handler'): InferenceHandler {
    const root = path.resolve(knownAtSynth(folder, 'the folder of a handler'));
    const { dir, name, ext } = path.parse(handler);
    const candidates = ['.js', '.mjs', '.cjs', '.py'].map((end) => path.posix.join(dir, `${name}${end}`));
    const file = candidates.find((own) => fs.existsSync(path.join(root, own)));
    if (file === undefined || ext === '' || !isInside(root, file)) {
      throw new SlicedInferenceError(
        'a handler must name a file of its folder and an export of the file, such as index.handler',
        `${quoted(handler)} of ${quoted(folder)}`,
        'correct it',
      );
    }
    if (file.endsWith('.py')) throw notNode(path.join(folder, file));
    return new InferenceHandler((step) => {
      const files = filesBelow(root)
        .sort()
        .map((source) => {
          const target = path.posix.join(step, path.relative(root, source).split(path.sep).join('/'));
          return { target, source };
        });
      return {
        entry: `${step}/${file}#${ext.slice(1)}`,
        digest: digestOfFiles(files),
        write: (target) => {
          fs.cpSync(root, path.join(target, step), { recursive: true, dereference: true });
        },
      };
    });
  }

  private constructor(
    /** @internal */
    public readonly _code: (step: 'preprocess' | 'postprocess') => CodeHandler,
  ) {}
}

function isInside(root: string, file: string): boolean {
  return !path.relative(root, path.resolve(root, file)).startsWith('..');
}

function requireFile(entry: string, file: string): void {
  try {
    fs.accessSync(entry, fs.constants.R_OK);
  } catch (error) {
    throw new SlicedInferenceError(
      'the file of a handler must be readable',
      `${quoted(file)}: ${systemReason(error)}`,
      'correct its path, which is relative to the working directory',
    );
  }
}

/** Functions in other languages cannot run in the process of the model. */
function notNode(file: string): SlicedInferenceError {
  return new SlicedInferenceError(
    'a handler inside an InferenceFunction must be TypeScript or JavaScript',
    quoted(file),
    'use a SlicedInferencePipeline, which calls a Lambda function in any language',
  );
}

/** One CommonJS file, with the AWS SDK in it: the version in the runtime of Lambda changes. */
function bundled(entry: string, file: string): Uint8Array {
  const { buildSync } = loadEsbuild();
  try {
    const { outputFiles, warnings } = buildSync({
      entryPoints: [entry],
      ...{ bundle: true, write: false, minify: true, keepNames: true, legalComments: 'none' },
      ...{ platform: 'node', target: 'node20', format: 'cjs', logLevel: 'silent', outfile: 'index.js' },
      absWorkingDir: path.dirname(entry),
    });
    const unusable = warnings.find(({ id }) => id === 'empty-import-meta');
    if (unusable) throw notBundled(file, unusable.text);
    return outputFiles[0].contents;
  } catch (error) {
    if (error instanceof SlicedInferenceError) throw error;
    throw notBundled(file, (error as Partial<esbuild.BuildFailure>).errors?.at(0)?.text ?? String(error));
  }
}

function notBundled(file: string, reason: string): SlicedInferenceError {
  return new SlicedInferenceError(
    'a handler must be bundled as CommonJS',
    `${quoted(file)}: ${reason}`,
    'correct the file, or pass a folder to InferenceHandler.fromFolder',
  );
}

function loadEsbuild(): typeof esbuild {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- it is the project's own, if it has one
    return require(require.resolve('esbuild', { paths: [process.cwd(), __dirname] })) as typeof esbuild;
  } catch {
    throw new SlicedInferenceError(
      'InferenceHandler.fromFile needs esbuild',
      'a project without it',
      'run npm install --save-dev esbuild, or pass a folder to InferenceHandler.fromFolder',
    );
  }
}
