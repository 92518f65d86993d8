/** Reads and checks the environment variables of a slice function. */
import { basename } from 'node:path';
import { ENV } from '../../contract/environment';
import type { ObjectReference } from '../../contract/execution';
import { sliceFailed } from '../errors';
import type { UserHandlers } from '../user-handlers';

export interface SliceFile {
  readonly object: ObjectReference;
  readonly sha256: string;
}

export interface SliceFiles {
  readonly model: SliceFile;
  readonly weights?: SliceFile & { readonly fileName: string };
}

export interface SliceEnvironment {
  readonly slice: number;
  readonly files: SliceFiles;
  readonly bucket: string;
  readonly runsBucket: string;
  readonly deploymentDigest: string;
  readonly threads: number;
  /** See `ENV.prepacking`. */
  readonly prepacking: boolean;
  readonly graphOptimization: GraphLevel;
  readonly memoryBytes: number;
  /** See `ENV.directCalls`. */
  readonly takesCalls: boolean;
  readonly functionName: string;
  /** Functions of the user that run in calls, before and after the model. */
  readonly handlers: UserHandlers;
  /** The object by which loaders claim the load. Only the function of the whole model has one. */
  readonly loaderClaim?: ObjectReference;
}

/** Of ONNX Runtime's session option `graphOptimizationLevel`. */
const LEVELS = ['disabled', 'basic', 'extended', 'layout', 'all'] as const;
export type GraphLevel = (typeof LEVELS)[number];

export type Variables = Readonly<Record<string, string | undefined>>;

export function readEnvironment(variables: Variables): SliceEnvironment {
  const weightsUri = variables[ENV.weightsUri];
  const loaderKey = variables[ENV.loaderKey];
  const bucket = required(variables, ENV.bucket);
  return {
    slice: wholeNumber(variables, ENV.slice, 0),
    files: {
      model: { object: objectOf(variables, ENV.modelUri), sha256: digestOf(variables, ENV.modelSha256) },
      ...(weightsUri !== undefined && {
        weights: {
          object: objectOf(variables, ENV.weightsUri),
          sha256: digestOf(variables, ENV.weightsSha256),
          fileName: fileNameOf(variables, ENV.weightsFile),
        },
      }),
    },
    bucket,
    runsBucket: variables[ENV.runsBucket] ?? bucket,
    deploymentDigest: required(variables, ENV.deploymentDigest),
    threads: wholeNumber(variables, ENV.threads, 1),
    prepacking: variables[ENV.prepacking] !== 'off',
    graphOptimization: levelOf(variables),
    takesCalls: variables[ENV.directCalls] === 'on',
    functionName: variables.AWS_LAMBDA_FUNCTION_NAME ?? 'function',
    handlers: {
      ...handlerOf(variables, 'preprocess'),
      ...handlerOf(variables, 'postprocess'),
    },
    // Lambda sets the variable in every function. The smallest function has 128 MB.
    memoryBytes: Number(variables.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? '128') * 1024 * 1024,
    ...(loaderKey !== undefined && { loaderClaim: { bucket, key: loaderKey } }),
  };
}

function required(variables: Variables, name: string): string {
  const value = variables[name];
  if (value === undefined || value === '') throw bad(name, 'set', 'nothing');
  return value;
}

function objectOf(variables: Variables, name: string): ObjectReference {
  const uri = required(variables, name);
  const parts = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri);
  if (parts === null) throw bad(name, 's3://bucket/key', uri);
  const [, bucket, key] = parts;
  return { bucket, key };
}

function digestOf(variables: Variables, name: string): string {
  const digest = required(variables, name);
  if (!/^[0-9a-f]{64}$/.test(digest)) throw bad(name, '64 lower-case hexadecimal digits', digest);
  return digest;
}

function fileNameOf(variables: Variables, name: string): string {
  const fileName = required(variables, name);
  if (fileName !== basename(fileName) || fileName === '.' || fileName === '..') {
    throw bad(name, 'a file name without folders', fileName);
  }
  return fileName;
}

function wholeNumber(variables: Variables, name: string, lowest: number): number {
  const text = required(variables, name);
  if (/^\d{1,5}$/.test(text) && Number(text) >= lowest) return Number(text);
  throw bad(name, `a whole number from ${lowest} up`, text);
}

function bad(name: string, expected: string, got: string) {
  const message = `the environment variable ${name} must be ${expected}, got ${got}: deploy the stack again`;
  return sliceFailed(message, { expected, got });
}

function levelOf({ [ENV.graphOptimization]: level = 'disabled' }: Variables): GraphLevel {
  const known = LEVELS.find((name) => name === level);
  if (known === undefined) throw bad(ENV.graphOptimization, LEVELS.join(', '), level);
  return known;
}

/** `preprocess/index.js#handler`, which the construct has checked. */
function handlerOf(variables: Variables, step: 'preprocess' | 'postprocess'): UserHandlers {
  const entry = variables[ENV[step]];
  if (entry === undefined) return {};
  // Names of files can have the character too.
  const end = entry.lastIndexOf('#');
  return { [step]: { file: entry.slice(0, end), name: entry.slice(end + 1) } };
}
