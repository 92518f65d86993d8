/** The construct: a state machine that runs a pipeline on many items. */
import { Aws, Duration, Names, RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { BATCH_SIGNATURE_KEY, type BatchItemsSignature, type BatchSignature } from '../../contract/batch';
import {
  FAILED_ITEMS_METRIC,
  FAILURES_FOLDER,
  SETTINGS_VARIABLE,
  type BatchSettings,
} from '../../contract/batch-function';
import { METRICS_NAMESPACE } from '../../contract/environment';
import { INPUTS_PREFIX, OUTPUTS_PREFIX } from '../../contract/keys';
import { CONTRACT_VERSION } from '../../contract/version';
import { located, warn } from '../aws/annotate';
import { checkRegion } from '../aws/buckets';
import { createLogGroup } from '../aws/log-group';
import { networkStatements } from '../aws/network';
import { attachOwnPolicy } from '../aws/replaced-policy';
import { batchCode, HANDLER } from '../aws/runtime-code';
import { sharedPermissions, tracingStatement } from '../aws/slice-permissions';
import { calledFunctions, logGroupName, signatureOf, stateMachineRole } from '../aws/state-machine';
import { callStatement, publishedVersion, type TaskFunction } from '../aws/workflow/invoke-function';
import { itemsInTime } from '../cost/batch-items';
import {
  BATCH_FUNCTION_MB,
  BATCH_FUNCTION_TMP_MB,
  MAX_FUNCTION_SECONDS,
  SECONDS_OF_CALLS,
} from '../cost/batch-limits';
import { SlicedInferenceError, quoted } from '../errors';
import { given } from '../pipeline/known-at-synth';
import type { Deployed } from '../pipeline/deployed-model';
import { onObjects, useKey } from '../pipeline/storage';
import { type BatchSizes, batchSizes, type SlicedInferenceBatchProps } from './batch-props';
import { batchStates } from './batch-states';
import { allow, type BatchPlaces, mapStatements } from './distributed-map';
import { codeIdentity, isUnversioned, versionToCall } from './handler-code';

/**
 * Runs a pipeline on each item of a data set: on a Distributed Map of Step Functions, whose children take packs of items through the
 * functions of the pipeline. The results of a pack are in one object of the pipeline's bucket. A table has a row for each item, in the order of
 * the items. Start the batch again to run only the items that have no result yet (docs/batch.md).
 *
 * @example
 * const nightly = new SlicedInferenceBatch(stack, 'Nightly', {
 *   pipeline,
 *   items: BatchItems.objects('inputs/documents/'),
 *   maxConcurrency: 500,
 * });
 * nightly.grantStart(caller);
 */
export class SlicedInferenceBatch extends Construct {
  /** The state machine: each execution is a run of the batch. Its input is `{}`, or `{"items": "inputs/documents/2026-11/"}`. */
  public readonly stateMachine: sfn.StateMachine;

  /** The function that finds earlier results, reports failed items and writes the table. It runs no model. */
  public readonly function: lambda.Function;

  /** Prefix of the results and tables in the pipeline's bucket, with a slash at its end. */
  public readonly resultsPrefix: string;

  private readonly places: BatchPlaces;

  /**
   * @throws an error of one line if a prop is invalid, or if the pipeline is in another stack
   */
  public constructor(scope: Construct, id: string, props: SlicedInferenceBatchProps) {
    super(scope, id);
    try {
      const { pipeline, items } = props;
      const deployed = withVersions(given(pipeline, 'pipeline')._deployed, Stack.of(this));
      const sizes = batchSizes(props);
      this.resultsPrefix = `${OUTPUTS_PREFIX}${Names.uniqueResourceName(this, { maxLength: 80, separator: '-' })}/`;
      this.places = {
        items,
        itemsBucket: items._bucket ?? pipeline.bucket,
        bucket: pipeline.bucket,
        resultsPrefix: this.resultsPrefix,
        hasPreprocess: deployed.workflow.preprocess !== undefined,
      };
      this.checkPlace(props, deployed);
      this.warnOf(sizes, deployed);
      const { postprocess } = deployed.workflow;
      if (postprocess && postprocess.step === undefined) {
        // The results of a pack are in one object.
        onObjects(['s3:GetObject'], this.resultsPrefix, pipeline.bucket, postprocess.target);
        useKey(pipeline.bucket, postprocess.target, ['kms:Decrypt']);
      }
      this.function = this.createFunction(deployed, settingsOf(this.places, sizes, deployed));
      const fn = publishedVersion(this.function, this.function.currentVersion);
      const role = stateMachineRole(this, 'StateMachineRole');
      const called = [...calledFunctions(deployed.workflow), fn];
      attachOwnPolicy(role, 'Calls', [callStatement(called), ...mapStatements(this.places)]);
      this.stateMachine = new sfn.StateMachine(this, 'StateMachine', {
        stateMachineType: sfn.StateMachineType.STANDARD,
        queryLanguage: sfn.QueryLanguage.JSONATA,
        definitionBody: sfn.DefinitionBody.fromChainable(
          batchStates(new Construct(this, 'States'), {
            ...{ places: this.places, sizes, fn, pipeline: deployed.workflow },
            items: itemsSignature(this.places),
          }),
        ),
        comment: JSON.stringify({
          [BATCH_SIGNATURE_KEY]: batchSignature(deployed, this.places, sizes),
        }),
        role,
        timeout: sizes.timeout,
        tracingEnabled: deployed.settings.tracing,
        logs: {
          destination: createLogGroup(this, 'Logs', deployed.settings.logs, logGroupName(this)),
          level: sfn.LogLevel.ERROR,
          includeExecutionData: false,
        },
      });
    } catch (error) {
      throw located(this, error);
    }
  }

  /**
   * Grants a principal permission to run the batch: to start, follow, stop and redrive executions, to put requests below `inputs/`, to read
   * the items of this batch if they are below it, and to list and read the results and tables of this batch. A table names all items.
   *
   * @param grantee the principal, for example a function or a role
   * @example
   * batch.grantStart(caller);
   */
  public grantStart(grantee: iam.IGrantable): iam.Grant {
    const { stateMachine, resultsPrefix } = this;
    const { bucket, items, itemsBucket } = this.places;
    const isOwn = itemsBucket === bucket && items._folder.startsWith(INPUTS_PREFIX);
    const mapRuns = `arn:${Aws.PARTITION}:states:${Aws.REGION}:${Aws.ACCOUNT_ID}:mapRun:${stateMachine.stateMachineName}/*`;
    const started = ['states:StartExecution', 'states:DescribeStateMachine', 'states:ListExecutions'];
    const followed = ['states:DescribeExecution', 'states:ListMapRuns'];
    return [
      stateMachine.grant(grantee, ...started),
      stateMachine.grantExecution(grantee, ...followed, 'states:StopExecution', 'states:RedriveExecution'),
      iam.Grant.addToPrincipal({ grantee, actions: ['states:DescribeMapRun'], resourceArns: [mapRuns] }),
      onObjects(['s3:PutObject'], INPUTS_PREFIX, bucket, grantee),
      // Callers see which items are there already.
      ...(isOwn ? [onObjects(['s3:GetObject'], items._folder, bucket, grantee)] : []),
      onObjects(['s3:GetObject'], resultsPrefix, bucket, grantee),
      // The names of the objects with failures tell the progress.
      iam.Grant.addToPrincipalOrResource({
        ...{ grantee, actions: ['s3:ListBucket'], resourceArns: [bucket.bucketArn], resource: bucket },
        conditions: { StringLike: { 's3:prefix': `${resultsPrefix}${FAILURES_FOLDER}*` } },
      }),
      useKey(bucket, grantee, ['kms:Decrypt', 'kms:GenerateDataKey']),
    ].reduce((all, grant) => all.combine(grant));
  }

  /**
   * The number of failed items, as a metric: `FailedItems` of this batch's function. Only failed items make it, so it costs nothing else.
   *
   * @param options by default the sum of five minutes
   */
  public metricFailedItems(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return new cloudwatch.Metric({
      ...{ namespace: METRICS_NAMESPACE, metricName: FAILED_ITEMS_METRIC, statistic: cloudwatch.Stats.SUM },
      dimensionsMap: { FunctionName: this.function.functionName },
      ...options,
    });
  }

  private checkPlace({ pipeline, items }: SlicedInferenceBatchProps, { workflow }: Deployed): void {
    const { itemsBucket, bucket } = this.places;
    checkRegion(this, itemsBucket, 'the bucket of the items');
    if (Stack.of(pipeline) !== Stack.of(this)) {
      throw new SlicedInferenceError(
        'a batch must be in the stack of its pipeline',
        quoted(Stack.of(pipeline).node.path),
        'create the batch in that stack',
      );
    }
    if (items._kind !== 'objects' || workflow.preprocess) return;
    if (itemsBucket === bucket && items._location.startsWith(INPUTS_PREFIX)) return;
    throw new SlicedInferenceError(
      `the objects of a batch must be below ${INPUTS_PREFIX} in the bucket of a pipeline without preprocess, because they are its requests`,
      itemsBucket === bucket ? quoted(items._location) : 'another bucket',
      'set a preprocess function, or put the requests there',
    );
  }

  private warnOf(sizes: BatchSizes, deployed: Deployed): void {
    const { batchItem } = deployed;
    const most = batchItem ? itemsInTime(batchItem, sizes.maxConcurrency) : Infinity;
    if (sizes.itemsPerRun > most) {
      const remedy = most > 0 ? `set itemsPerRun to ${most} or less` : 'use more memory or more slices';
      warn(
        this,
        'batchTime',
        `${sizes.itemsPerRun} items of a run may take longer than the ${SECONDS_OF_CALLS} seconds that it has, by the model of cost: ${remedy}`,
      );
    }
    if (handlersOf(deployed).some(isUnversioned))
      warn(
        this,
        'unversionedHandler',
        'a deployment of a preprocess or postprocess function that is imported or in another stack changes the code that the batch calls, and a rerun may skip what earlier code made: pass one of its versions',
      );
  }

  private createFunction({ settings, network, bucket }: Deployed, own: BatchSettings): lambda.Function {
    const { resultsPrefix } = this;
    const role = new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    const logGroup = createLogGroup(this, 'FunctionLogs', settings.logs);
    const objects = (prefix: string): string => bucket.arnForObjects(`${prefix}*`);
    attachOwnPolicy(role, 'Policy', [
      ...sharedPermissions({ bucket, files: [], logGroup }),
      allow('ReadResults', ['s3:GetObject'], [objects(resultsPrefix)]),
      // To learn the ETags of requests, unless a list of objects tells them.
      ...(own.items.kind === 'objects'
        ? []
        : [allow('ReadRequests', ['s3:GetObject'], [objects(INPUTS_PREFIX)])]),
      allow('ListResults', ['s3:ListBucket'], [bucket.bucketArn], {
        StringLike: { 's3:prefix': `${resultsPrefix}*` },
      }),
      allow('WriteResults', ['s3:PutObject'], [objects(resultsPrefix)]),
      ...(settings.tracing ? [tracingStatement()] : []),
      ...(network ? networkStatements() : []),
    ]);
    const fn = new lambda.Function(this, 'Function', {
      description: `Items and results of ${this.node.path}`.slice(0, 256),
      code: batchCode(this),
      handler: HANDLER,
      runtime: settings.runtime,
      architecture: settings.architecture,
      // Half a processor and more: it parses the files of the map run.
      memorySize: BATCH_FUNCTION_MB,
      timeout: Duration.seconds(MAX_FUNCTION_SECONDS),
      ephemeralStorageSize: Size.mebibytes(BATCH_FUNCTION_TMP_MB),
      environment: { [SETTINGS_VARIABLE]: Stack.of(this).toJsonString(own) },
      role,
      logGroup,
      ...network,
      // A batch that is in progress during a deployment keeps calling the version that it started with.
      currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE },
    });
    if (settings.tracing)
      (fn.node.defaultChild as lambda.CfnFunction).tracingConfig = { mode: lambda.Tracing.ACTIVE };
    return fn;
  }
}

function withVersions(deployed: Deployed, stack: Stack): Deployed {
  const { preprocess, postprocess } = deployed.workflow;
  const workflow = {
    ...deployed.workflow,
    ...(preprocess && { preprocess: versionOfStep(preprocess, stack) }),
    ...(postprocess && { postprocess: versionOfStep(postprocess, stack) }),
  };
  return { ...deployed, workflow };
}

function versionOfStep(own: TaskFunction, stack: Stack): TaskFunction {
  return own.step === undefined ? versionToCall(own.target, stack) : own;
}

/** Those that the digest of the deployment does not cover, because they run outside the function of the model. */
function handlersOf({ workflow: { preprocess, postprocess } }: Deployed): lambda.IFunction[] {
  return [preprocess, postprocess].flatMap((own) => (own && own.step === undefined ? [own.target] : []));
}

function settingsOf(
  places: BatchPlaces,
  { toleratedFailures, toleratedFailurePercentage }: BatchSizes,
  deployed: Deployed,
): BatchSettings {
  const { plan, preprocess, postprocess } = deployed.workflow;
  return {
    bucket: places.bucket.bucketName,
    deploymentDigest: plan.deploymentDigest,
    items: itemsSignature(places),
    resultsPrefix: places.resultsPrefix,
    handlers: handlersOf(deployed).map(codeIdentity),
    hasPreprocess: preprocess !== undefined,
    hasPostprocess: postprocess !== undefined,
    ...(toleratedFailures !== undefined && { toleratedFailures }),
    toleratedFailurePercentage,
  };
}

function batchSignature(
  { workflow, bucket }: Deployed,
  places: BatchPlaces,
  { itemsPerRun, maxConcurrency }: BatchSizes,
): BatchSignature {
  const { deploymentDigest, inputs, outputs, preprocess, postprocess } = signatureOf(workflow, bucket);
  return {
    version: CONTRACT_VERSION,
    deploymentDigest,
    bucket: bucket.bucketName,
    items: itemsSignature(places),
    ...{ itemsPerRun, maxConcurrency, resultsPrefix: places.resultsPrefix, inputs, outputs },
    ...(preprocess && { preprocess }),
    ...(postprocess && { postprocess }),
  };
}

function itemsSignature({ items, itemsBucket }: BatchPlaces): BatchItemsSignature {
  const { _kind: kind, _location: location, _folder: folder, _column: column } = items;
  const own = { kind, bucket: itemsBucket.bucketName, location, folder };
  return column === undefined ? own : { ...own, column };
}
