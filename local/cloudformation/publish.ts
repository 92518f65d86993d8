/** Publishes a stack's file assets to the local S3 with the library that `cdk deploy` uses. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import type { IAws, IS3Client } from '@aws-cdk/cdk-assets-lib';
import type { AssemblyStack } from './assembly';
import { LocalCloudError, unsupported } from '../local-cloud-error';
import type { DiskObjectStore } from '../s3/store';

export async function publishAssets(stack: AssemblyStack, store: DiskObjectStore): Promise<void> {
  // Import the library here, because it loads several AWS clients.
  const { AssetManifest, AssetPublishing } = await import('@aws-cdk/cdk-assets-lib');
  for (const file of stack.assetManifests) {
    const manifest = AssetManifest.fromFile(file);
    const publishing = new AssetPublishing(manifest, {
      aws: localAws(stack, store),
      throwOnError: false,
      subprocessOutputDestination: 'ignore',
    });
    // Skip container images: a function that needs one is refused because of its PackageType.
    for (const entry of manifest.files) {
      // The library would silently pack a missing folder into an empty zip.
      const source = entry.source.path;
      if (source !== undefined && !fs.existsSync(path.resolve(manifest.directory, source))) {
        throw new LocalCloudError(
          `the asset ${entry.displayName(false)} is missing, got no '${source}' in the assembly: synthesize it again`,
        );
      }
      await publishing.publishEntry(entry);
    }
    const failure = publishing.failures.at(0);
    if (failure !== undefined) {
      const { asset, error } = failure;
      throw new LocalCloudError(
        `cannot publish the asset ${asset.displayName(false)} of the stack '${stack.name}', got '${error.message}': ` +
          'synthesize the assembly again',
      );
    }
  }
}

function localAws(stack: AssemblyStack, store: DiskObjectStore): IAws {
  const account = { accountId: stack.environment.account, partition: 'aws' };
  return {
    discoverPartition: () => Promise.resolve(account.partition),
    discoverDefaultRegion: () => Promise.resolve(stack.environment.region),
    discoverCurrentAccount: () => Promise.resolve(account),
    discoverTargetAccount: () => Promise.resolve(account),
    s3Client: () => Promise.resolve(assetBuckets(store)),
    ecrClient: () => Promise.reject(unsupported('container images')),
    secretsManagerClient: () => Promise.reject(unsupported('Secrets Manager')),
  };
}

/** An S3 client that writes to the store directly and creates an account's asset bucket on first use. */
function assetBuckets(store: DiskObjectStore): IS3Client {
  const $metadata = {};
  return {
    getBucketLocation: ({ Bucket: bucket = '' }) => {
      store.createBucket(bucket);
      return Promise.resolve({ $metadata });
    },
    getBucketEncryption: () => Promise.resolve({ $metadata }),
    listObjectsV2: ({ Bucket: bucket = '', Prefix: prefix = '' }) => {
      const objects = [...store.list(bucket, prefix)];
      return Promise.resolve({
        $metadata,
        Contents: objects.map(({ key, size }) => ({ Key: key, Size: size })),
      });
    },
    upload: async ({ Bucket: bucket = '', Key: key = '', Body: body, ContentType: contentType }) => {
      if (!(body instanceof Readable)) throw unsupported('an asset that is not a stream');
      await store.put(bucket, key, body, contentType === undefined ? {} : { contentType });
      return { $metadata };
    },
  };
}
