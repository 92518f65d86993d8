/** Compares one of the deployed pipelines with the same one in a local cloud. */
import { LocalCloud } from '../../local';
import { STACKS } from './app';
import { compareDigests, compareScenarios, measureTimes, type Finding } from './compare';
import { Deployment } from './deployment';
import { differenceOf, endOf } from './end-of-call';
import { DENIED, REQUESTS } from './scenarios';

export type Subject = keyof typeof STACKS;

interface Deployed {
  /** Folder of the assembly that is deployed. */
  readonly assembly: string;
  /** Of the state machine on AWS; absent if the deployment has no such output. */
  readonly arn: string | undefined;
}

/** Yields findings as they come. Throws only the reason of `interrupt`. */
export async function* comparePipeline(
  subject: Subject,
  { assembly, arn }: Deployed,
  interrupt: AbortSignal,
): AsyncGenerator<Finding, void, undefined> {
  const claim = 'both clouds describe the pipeline';
  // A cloud that starts is waited for, because it must be closed.
  const started = await endOf(() => LocalCloud.start(assembly, { pipeline: STACKS[subject] }));
  if ('threw' in started) {
    yield { subject, claim, verdict: 'differs', detail: `local threw ${started.threw}` };
    return;
  }
  const { value: cloud } = started;
  try {
    const { stepFunctions, s3 } = cloud;
    const { stateMachineArn } = cloud.pipeline;
    const [aws, local] = await Promise.all([
      endOf(() => deploymentAt(arn), interrupt),
      endOf(() => Deployment.at({ stateMachineArn, stepFunctions, s3 }), interrupt),
    ]);
    if ('value' in aws && 'value' in local)
      yield* compareDeployments(subject, { aws: aws.value, local: local.value }, interrupt);
    else
      yield {
        ...{ subject, claim, verdict: 'differs' },
        detail: differenceOf(aws, local, ({ description }) => `describes it as ${description.type}`),
      };
  } finally {
    await cloud.close();
  }
}

async function deploymentAt(stateMachineArn: string | undefined): Promise<Deployment> {
  if (stateMachineArn === undefined)
    throw new Error('the outputs must have the ARN of the state machine, got none: deploy the stack');
  return Deployment.at({ stateMachineArn });
}

async function* compareDeployments(
  subject: Subject,
  pair: { readonly aws: Deployment; readonly local: Deployment },
  interrupt: AbortSignal,
): AsyncGenerator<Finding, void, undefined> {
  yield compareDigests(subject, pair);
  if (subject === 'denied') {
    yield* compareScenarios(subject, pair, DENIED, interrupt);
    return;
  }
  yield* compareScenarios(subject, pair, REQUESTS, interrupt);
  yield await measureTimes(subject, pair, interrupt);
}
