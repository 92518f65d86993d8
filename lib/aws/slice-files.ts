/** A slice's files in S3: assets of the stack, or objects in a bucket that `sliced-inference slice` uploads to. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type * as kms from 'aws-cdk-lib/aws-kms';
import { AssetHashType, BundlingOutput, DockerImage, Stage } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';
import { fileDigest } from '../cache/fingerprint';
import { SlicedInferenceError, quoted, systemReason } from '../errors';
import type { PlannedFile } from '../plan/file/plan';

export interface SliceObject {
  readonly uri: string;
  readonly arn: string;
  /** KMS key of the bucket. Absent if the bucket has no customer managed key. */
  readonly encryptionKey?: kms.IKey;
}

export interface SliceObjects {
  readonly model: SliceObject;
  readonly weights?: SliceObject;
}

export function filesOf({ model, weights }: SliceObjects): SliceObject[] {
  return weights ? [model, weights] : [model];
}

/**
 * The asset hash is the digest in the plan, because CDK's own fingerprint normalizes line ends in files that it takes
 * for text, and so misses some changes of weights. Local bundling is how CDK lets a library write an asset; no Docker
 * image is used.
 *
 * @param file path of the slice's file on this disk
 */
export function sliceFileAsset(scope: Construct, id: string, file: string, planned: PlannedFile): Asset {
  const intact = [identity(file)];
  const asset = new Asset(scope, id, {
    path: path.dirname(file),
    assetHash: planned.sha256,
    assetHashType: AssetHashType.CUSTOM,
    bundling: {
      image: DockerImage.fromRegistry('never-used'),
      outputType: BundlingOutput.SINGLE_FILE,
      // CDK hashes this object as JSON together with the asset's hash, so it must hold only a closure and no data.
      local: {
        tryBundle: (folder: string): boolean => {
          const target = path.join(folder, planned.file);
          linkOrCopy(file, target);
          intact.push(identity(target));
          return true;
        },
      },
    },
  });
  const staged = path.resolve(Stage.of(scope)?.outdir ?? '', asset.assetPath);
  if (!intact.includes(identity(staged))) mendStaged(staged, file, planned);
  return asset;
}

/** Tells files apart, but not the links to one file; `undefined` for a missing file. */
function identity(file: string): string | undefined {
  const stat = fs.statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.dev}:${stat.ino}`;
}

/**
 * CDK keeps a file that an earlier synthesis staged. Another program may have changed that file since, or its link to `file`
 * may be lost because the cache wrote `file` anew. So this replaces a staged file whose bytes are not the planned ones.
 */
function mendStaged(staged: string, file: string, planned: PlannedFile): void {
  const found = fs.statSync(staged, { throwIfNoEntry: false });
  // CDK stages nothing for a stack that the command leaves out. The path is then the folder of `file`.
  if (found?.isDirectory()) return;
  if (found?.size === planned.bytes && fileDigest(staged) === planned.sha256) return;
  fs.rmSync(staged, { force: true });
  linkOrCopy(file, staged);
}

/** Links the file, because a link takes no time and no space. Copies it if it cannot be linked. */
function linkOrCopy(file: string, target: string): void {
  try {
    fs.linkSync(file, target);
    return;
  } catch {
    // Another disk, another owner, too many links, or a file system without links. If the file is the problem, the copy
    // fails too and its error gives the reason.
  }
  try {
    fs.copyFileSync(file, target, fs.constants.COPYFILE_FICLONE);
  } catch (error) {
    throw new SlicedInferenceError(
      `slice file ${quoted(file)} must be copied into the cloud assembly`,
      systemReason(error),
      'free space on the disk if it is full, and synthesize again',
    );
  }
}
