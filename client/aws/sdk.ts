/**
 * Loads the AWS SDK when the first call needs it: that of the application if it has one, otherwise the copy in this package. A program
 * that uses only the codecs loads neither.
 */
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AwsClient } from '../options';
import type * as BundledSdk from './bundled-sdk';

export type StepFunctionsSdk = Pick<
  typeof BundledSdk,
  | 'SFNClient'
  | 'DescribeStateMachineCommand'
  | 'DescribeExecutionCommand'
  | 'GetExecutionHistoryCommand'
  | 'StartExecutionCommand'
  | 'StartSyncExecutionCommand'
  | 'StopExecutionCommand'
>;

export type S3Sdk = Pick<typeof BundledSdk, 'S3Client' | 'GetObjectCommand' | 'PutObjectCommand'>;

/** A client of the SDK that is made when the first request needs it. */
export class AwsConnection<Sdk, Client extends { destroy(): void }> {
  private loaded: Promise<{ readonly sdk: Sdk; readonly client: Client }> | undefined;

  /** @param own the application's own client, which stays open */
  constructor(
    private readonly own: AwsClient | undefined,
    private readonly loadSdk: () => Promise<Sdk>,
    private readonly create: (sdk: Sdk) => Client,
  ) {}

  load(): Promise<{ readonly sdk: Sdk; readonly client: Client }> {
    const { own, create } = this;
    this.loaded ??= this.loadSdk().then((sdk) => ({
      sdk,
      client: own === undefined ? create(sdk) : (own as unknown as Client),
    }));
    return this.loaded;
  }

  async close(): Promise<void> {
    const { loaded } = this;
    if (loaded === undefined || this.own !== undefined) return;
    // A call after this one makes a client of its own.
    this.loaded = undefined;
    (await loaded).client.destroy();
  }
}

export async function loadStepFunctionsSdk(): Promise<StepFunctionsSdk> {
  try {
    return await import('@aws-sdk/client-sfn');
  } catch (error) {
    return (await loadOther('@aws-sdk/client-sfn', error)) as StepFunctionsSdk;
  }
}

export async function loadS3Sdk(): Promise<S3Sdk> {
  try {
    return await import('@aws-sdk/client-s3');
  } catch (error) {
    return (await loadOther('@aws-sdk/client-s3', error)) as S3Sdk;
  }
}

async function loadOther(name: string, error: unknown): Promise<unknown> {
  const isBroken = isBrokenByBundler(error);
  if (!isBroken && !isMissing(error, name)) throw error;
  const file = isBroken ? undefined : findFromProgram(name);
  if (file !== undefined) return (await import(pathToFileURL(file).href)) as unknown;
  return await import('./bundled-sdk.js');
}

/**
 * A package that was linked from elsewhere sees no packages of the application, although they are its optional peers. The program that
 * runs does see its packages.
 */
function findFromProgram(name: string): string | undefined {
  const program = process.argv.at(1) ?? path.join(process.cwd(), 'program.js');
  try {
    return createRequire(path.resolve(program)).resolve(name);
  } catch (error) {
    if (isMissing(error, name)) return undefined;
    throw error;
  }
}

/**
 * esbuild prefers the CommonJS files of the SDK unless `mainFields` says otherwise. Inside an ES module they cannot load Node.js's own modules.
 * The copy in this package is an ES module.
 */
function isBrokenByBundler(error: unknown): boolean {
  return error instanceof Error && /^Dynamic require of "[^"]+" is not supported$/.test(error.message);
}

/** Not if the package is there and lacks one of its own packages. */
function isMissing(error: unknown, name: string): boolean {
  const { code } = error as NodeJS.ErrnoException;
  const isNotFound = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
  return isNotFound && error instanceof Error && error.message.includes(`'${name}'`);
}
