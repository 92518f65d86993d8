/** A slice's file as an asset under the digest that the plan gives it, written once when CDK stages it. */
import * as path from 'node:path';
import { AssetHashType, BundlingOutput, DockerImage } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';
import type { Chunk } from '../onnx/chunks';
import type { SourceFile } from '../onnx/model';
import { writePlannedFile } from '../emit/write';
import type { PlannedFile } from '../plan/plan';

/**
 * CDK's own fingerprint folds line ends in what it takes for text and so misses changes of weights; the digest of
 * the plan does not. Local bundling is CDK's way to let a library write an asset: no Docker image is ever used.
 */
export function sliceFileAsset(
  scope: Construct,
  id: string,
  files: readonly SourceFile[],
  chunks: readonly Chunk[],
  planned: PlannedFile,
): Asset {
  return new Asset(scope, id, {
    path: path.dirname(files[0].path),
    assetHash: planned.sha256,
    assetHashType: AssetHashType.CUSTOM,
    bundling: {
      image: DockerImage.fromRegistry('never-used'),
      outputType: BundlingOutput.SINGLE_FILE,
      // CDK hashes this object as JSON together with the asset's hash: it must hold a closure and no data.
      local: {
        tryBundle: (folder: string): boolean => {
          writePlannedFile(files, chunks, planned, folder);
          return true;
        },
      },
    },
  });
}
