/** The functions of both apps: a file of `functions/`, with all that it imports in one file. */
import * as path from 'node:path';
import { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { LogLevel, NodejsFunction, type ICommandHooks } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { SlicedInferencePipeline } from 'cdk-sliced-inference';
import type { Construct } from 'constructs';
import { KEYS_FILE } from './models';

/** The local cloud runs the functions on this machine, so the app takes its architecture. */
export const ARCHITECTURE =
  process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64;

/** Puts the alphabet of the recognition model beside a function. */
export const WITH_ALPHABET: ICommandHooks = {
  beforeInstall: () => [],
  beforeBundling: () => [],
  afterBundling: (_, output) => [
    `node -e "fs.copyFileSync(process.argv[1], process.argv[2])" "${KEYS_FILE}" "${path.join(output, 'alphabet.txt')}"`,
  ],
};

export function nodeFunction(
  scope: Construct,
  id: string,
  file: string,
  commandHooks?: ICommandHooks,
): NodejsFunction {
  return new NodejsFunction(scope, id, {
    entry: path.join(__dirname, 'functions', `${file}${path.extname(__filename)}`),
    runtime: lambda.Runtime.NODEJS_24_X,
    architecture: ARCHITECTURE,
    // Lambda gives a whole processor to 1,769 MB. A decoded photo of 12 million pixels and the decoder need about 500 MB.
    memorySize: 1769,
    timeout: Duration.seconds(20),
    tracing: lambda.Tracing.ACTIVE,
    // With the SDK inside, the function does not depend on the version that Lambda has.
    bundling: {
      minify: true,
      externalModules: [],
      logLevel: LogLevel.ERROR,
      ...(commandHooks && { commandHooks }),
    },
  });
}

/** Lets a function put requests into a bucket, and read the objects below a prefix. */
export function allowRequests(pipeline: SlicedInferencePipeline, fn: NodejsFunction, prefix: string): void {
  pipeline.grantWriteInputs(fn);
  fn.addToRolePolicy(
    new iam.PolicyStatement({
      actions: ['s3:GetObject'],
      resources: [pipeline.bucket.arnForObjects(`${prefix}*`)],
    }),
  );
}
