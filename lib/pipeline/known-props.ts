/** By prop: the check of its kind. These are also the lists of the props that exist. */
import { RemovalPolicy } from 'aws-cdk-lib';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { SlicedInferenceError, quoted } from '../errors';
import type { SliceFunctionOptions } from '../aws/slice-function-options';
import type { Check, Fields } from './checks/check';
import { isPlain, kind, listOf, mapOf, objectOf, optional } from './checks/check';
import { got } from './checks/got';
import {
  ARCHITECTURE,
  BOOLEAN,
  BUCKET,
  FUNCTION,
  KEY,
  NUMBER,
  RUNTIME,
  SECURITY_GROUP,
  SIZE,
  TEXT,
  VPC,
  duration,
  has,
  hasMethods,
  memberOf,
} from './checks/kinds';
import { Consolidation } from './consolidation';
import { GraphOptimization } from './graph-optimization';
import { knownAtSynth } from './known-at-synth';
import type { SlicedInferencePipelineProps } from './pipeline-props';
import { WarmUp } from './warm-up';

const SLICE_FUNCTION_OPTIONS: Fields<SliceFunctionOptions> = {
  memorySize: optional(NUMBER),
  timeout: optional(duration('seconds', 60)),
  ephemeralStorageSize: optional(SIZE),
  reservedConcurrentExecutions: optional(NUMBER),
  provisionedConcurrentExecutions: optional(NUMBER),
  environment: optional(mapOf('an object of names and values', "{ LOG_LEVEL: 'info' }", TEXT)),
};

/** By name of an option of slice functions: its place in the props. Errors name it if a caller sets the option elsewhere. */
export const IN_SLICE_FUNCTIONS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.keys(SLICE_FUNCTION_OPTIONS).map((name) => [name, `sliceFunctions.${name}`]),
);

const SLICE_FUNCTION = objectOf(SLICE_FUNCTION_OPTIONS, '{ memorySize: 2048 }');

/**
 * jsii drops the names that it does not know: of `{"memory_size": 2048}` in Python nothing is left. It converts the
 * options of a prop, but not those in a map.
 */
const SLICE_OVERRIDE: Check = (value, where, scope) => {
  SLICE_FUNCTION(value, where, scope);
  if (Object.entries(value as object).some(isOption)) return;
  throw new SlicedInferenceError(
    `${where} must set an option`,
    got(value),
    'pass { memorySize: 2048 }, for example, or in Python SliceFunctionOptions(memory_size=2048)',
  );
};

/** A known option may be `undefined` by a condition of the caller. An unknown one has a warning. */
function isOption([name, value]: [string, unknown]): boolean {
  return name in SLICE_FUNCTION_OPTIONS || value !== undefined;
}

/** `null` is never the way to leave a model out: a pipeline needs one. */
const MODEL_PATH = kind(
  'the path of an ONNX model',
  (value) => value === undefined || (typeof value === 'string' && value !== ''),
  'pass the path of a file on this machine',
);

const SLICING = kind('an instance of Slicing', hasMethods('_slicer'), 'use Slicing.count(4), for example');

const SLICED_MODEL = kind(
  'a SlicedModel',
  hasMethods('_place'),
  'use SlicedModel.fromDirectory or SlicedModel.fromBucket',
);

const TENSOR_STORE = kind(
  'a TensorStore',
  has('_availabilityZoneId'),
  'use TensorStore.s3Standard() or TensorStore.s3ExpressOneZone(zone)',
);

const SUBNETS = kind(
  'a selection of subnets (ec2.SubnetSelection)',
  isPlain,
  'pass { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS }, for example',
);

const DIMENSIONS = mapOf(
  'an object of names and sizes',
  '{ batch: 1 }',
  (value, where) => {
    NUMBER(knownAtSynth(value, where), where);
  },
  (_, name) => `the size of dimension ${quoted(name)}`,
);

export const PIPELINE_PROPS: Fields<SlicedInferencePipelineProps> = {
  modelPath: MODEL_PATH,
  slicedModel: optional(SLICED_MODEL),
  slicing: optional(SLICING),
  dimensions: optional(DIMENSIONS),
  graphOptimization: optional(memberOf('GraphOptimization', GraphOptimization)),
  architecture: optional(ARCHITECTURE),
  runtime: optional(RUNTIME),
  stateMachineType: optional(memberOf('sfn.StateMachineType', sfn.StateMachineType)),
  timeout: optional(duration('seconds', 60)),
  warmUp: optional(memberOf('WarmUp', WarmUp)),
  consolidation: optional(memberOf('Consolidation', Consolidation)),
  float16Transport: optional(BOOLEAN),
  tensorsInState: optional(BOOLEAN),
  sliceFunctions: optional(SLICE_FUNCTION),
  sliceFunctionOverrides: optional(
    mapOf(
      'an object of slices and their options',
      "{ 'slice-00': { memorySize: 2048 } }",
      optional(SLICE_OVERRIDE),
    ),
  ),
  bucket: optional(BUCKET),
  tensorStore: optional(TENSOR_STORE),
  encryptionKey: optional(KEY),
  assetEncryptionKey: optional(KEY),
  intermediateRetention: optional(duration('days', 1)),
  outputRetention: optional(duration('days', 7)),
  removalPolicy: optional(memberOf('RemovalPolicy', RemovalPolicy)),
  autoDeleteObjects: optional(BOOLEAN),
  vpc: optional(VPC),
  vpcSubnets: optional(SUBNETS),
  securityGroups: optional(listOf('security groups', 'pass [securityGroup], for example', SECURITY_GROUP)),
  logRetention: optional(memberOf('logs.RetentionDays', logs.RetentionDays)),
  logEncryptionKey: optional(KEY),
  logLevel: optional(memberOf('sfn.LogLevel', sfn.LogLevel)),
  tracing: optional(BOOLEAN),
  sliceMetrics: optional(BOOLEAN),
  preprocess: optional(FUNCTION),
  postprocess: optional(FUNCTION),
};
