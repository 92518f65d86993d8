/**
 * Loads the AWS SDK when the first call needs it: that of the application if it has one, otherwise the copy in this package. A program
 * that uses only the codecs loads neither.
 */
import type { AwsClient } from '../options';
import type * as BundledSdk from './bundled-sdk';

export type S3Sdk = Pick<
  typeof BundledSdk,
  | 'AbortMultipartUploadCommand'
  | 'CompleteMultipartUploadCommand'
  | 'CreateMultipartUploadCommand'
  | 'GetObjectCommand'
  | 'ListObjectsV2Command'
  | 'PutObjectCommand'
  | 'S3Client'
  | 'UploadPartCommand'
>;

export type LambdaSdk = Pick<typeof BundledSdk, 'InvokeCommand' | 'LambdaClient'>;

export type StepFunctionsSdk = Omit<typeof BundledSdk, keyof S3Sdk | keyof LambdaSdk>;

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
    return await bundledSdk('@aws-sdk/client-sfn', error);
  }
}

export async function loadS3Sdk(): Promise<S3Sdk> {
  try {
    return await import('@aws-sdk/client-s3');
  } catch (error) {
    return await bundledSdk('@aws-sdk/client-s3', error);
  }
}

export async function loadLambdaSdk(): Promise<LambdaSdk> {
  try {
    return await import('@aws-sdk/client-lambda');
  } catch (error) {
    return await bundledSdk('@aws-sdk/client-lambda', error);
  }
}

async function bundledSdk(name: string, error: unknown): Promise<typeof BundledSdk> {
  if (!isBrokenByBundler(error) && !isMissing(error, name)) throw error;
  return await import('./bundled-sdk.js');
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
