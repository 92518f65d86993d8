/** A slice's file as an asset under the digest that the plan gives it, hard-linked from where it lies. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { AssetHashType, BundlingOutput, DockerImage } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';
import { SlicedInferenceError, quoted, systemReason } from '../errors';
import type { PlannedFile } from '../plan/plan';

/**
 * CDK's own fingerprint folds line ends in what it takes for text and so misses changes of weights; the digest of
 * the plan does not. Local bundling is CDK's way to let a library write an asset: no Docker image is ever used.
 *
 * @param file the slice's file on this disk
 */
export function sliceFileAsset(scope: Construct, id: string, file: string, planned: PlannedFile): Asset {
  return new Asset(scope, id, {
    path: path.dirname(file),
    assetHash: planned.sha256,
    assetHashType: AssetHashType.CUSTOM,
    bundling: {
      image: DockerImage.fromRegistry('never-used'),
      outputType: BundlingOutput.SINGLE_FILE,
      // CDK hashes this object as JSON together with the asset's hash: it must hold a closure and no data.
      local: {
        tryBundle: (folder: string): boolean => {
          linkOrCopy(file, path.join(folder, planned.file));
          return true;
        },
      },
    },
  });
}

/** A hard link takes no time and no space; where there can be none, such as on another disk, a copy does. */
function linkOrCopy(file: string, target: string): void {
  try {
    fs.linkSync(file, target);
    return;
  } catch {
    // Other disk, other owner, too many links, no links at all: the copy tells what really is the matter.
  }
  try {
    fs.copyFileSync(file, target, fs.constants.COPYFILE_FICLONE);
  } catch (error) {
    throw new SlicedInferenceError(
      `slice file ${quoted(file)} must be there to be staged`,
      systemReason(error),
      'synthesize again, with room on the disk',
    );
  }
}
