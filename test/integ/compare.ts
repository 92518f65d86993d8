/** Asks a deployed pipeline and the same one in a local cloud the same, and says what agrees. */
import { isDeepStrictEqual } from 'node:util';
import { LocalCloud } from '../../local';
import { STACKS } from './app';
import { Deployment } from './deployment';
import { DENIED, infer, REQUESTS, type Answer, type Scenario } from './scenarios';

export interface Finding {
  readonly subject: string;
  readonly claim: string;
  readonly verdict: 'confirmed' | 'differs' | 'not checked';
  /** What differed, or why it was not checked. */
  readonly detail: string;
}

export interface Pair {
  /** On AWS. */
  readonly aws: Deployment;
  readonly local: Deployment;
}

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
  pair: Pair,
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

/** Warm runs whose times are compared. */
const TIMED_RUNS = 5;

/** Yields each finding when both clouds have answered. Throws only the reason of `interrupt`. */
export async function* compareScenarios(
  subject: string,
  { aws, local }: Pair,
  scenarios: readonly Scenario[],
  interrupt?: AbortSignal,
): AsyncGenerator<Finding, void, undefined> {
  for (const { claim, ask, expects } of scenarios) {
    const [onAws, here] = await Promise.all([aws, local].map((cloud) => endOf(() => ask(cloud), interrupt)));
    yield { subject, claim, ...judge(onAws, here, expects) };
  }
}

/** Both must be what is expected, so that two clouds which fail alike confirm nothing. */
export function judge(
  onAws: Ended<Answer>,
  here: Ended<Answer>,
  expects: Scenario['expects'],
): Pick<Finding, 'verdict' | 'detail'> {
  const isExpected =
    'value' in here &&
    here.value.status === expects.status &&
    (expects.error === undefined || here.value.error === expects.error);
  return isExpected && isDeepStrictEqual(onAws, here)
    ? { verdict: 'confirmed', detail: '' }
    : { verdict: 'differs', detail: differenceOf(onAws, here, (answer) => JSON.stringify(answer)) };
}

/** Both digests name the model, the code and the settings that computed a result. */
export function compareDigests(subject: string, { aws, local }: Pair): Finding {
  const [onAws, here] = [aws, local].map(({ description }) => description.signature.deploymentDigest);
  const claim = 'the same deployment runs in both';
  return onAws === here
    ? { subject, claim, verdict: 'confirmed', detail: '' }
    : { subject, claim, verdict: 'differs', detail: `AWS ${onAws}; local ${here}` };
}

/** Times differ by nature, so the table only states them. A run that fails has none. */
export async function measureTimes(
  subject: string,
  { aws, local }: Pair,
  interrupt?: AbortSignal,
): Promise<Finding> {
  const claim = 'times of warm runs';
  const onAws = await endOf(() => medianOf(aws, interrupt), interrupt);
  const here = await endOf(() => medianOf(local, interrupt), interrupt);
  const inMs = (milliseconds: number): string => `${milliseconds.toFixed(0)} ms`;
  if ('threw' in onAws || 'threw' in here)
    return { subject, claim, verdict: 'differs', detail: differenceOf(onAws, here, inMs) };
  const detail = `medians of ${TIMED_RUNS} runs: AWS ${inMs(onAws.value)}, local ${inMs(here.value)}`;
  return { subject, claim, verdict: 'not checked', detail };
}

/** In milliseconds. Throws the error of a run that fails. */
async function medianOf(deployment: Deployment, interrupt?: AbortSignal): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < TIMED_RUNS; run++) {
    interrupt?.throwIfAborted();
    const start = performance.now();
    const outcome = await infer(deployment, 1);
    times.push(performance.now() - start);
    if ('error' in outcome) throw outcome.error;
  }
  return times.sort((a, b) => a - b)[Math.floor(TIMED_RUNS / 2)];
}

/** What no run of this comparison shows. */
export const NOT_CHECKED: readonly Finding[] = [
  ['cold starts, throttles and timeouts', 'the local cloud simulates them; compare with `calibrate`'],
  ['X-Ray traces, dashboards, metrics and alarms', 'look at them in the console'],
  ['VPC, KMS keys, S3 Express One Zone, arm64', 'not deployed by this comparison'],
  ['models larger than a few KB', 'not deployed by this comparison'],
  ['`sliced-inference invoke` and the client for Python', 'this comparison calls SlicedInferenceClient'],
  ['HTTP APIs, arriving objects, functions before and after the slices', 'not deployed by this comparison'],
].map(([claim, detail]) => ({ subject: 'all', claim, verdict: 'not checked', detail }));

/** One row of the table. */
export function describeFinding({ verdict, subject, claim, detail }: Finding): string {
  const text = detail === '' ? claim : `${claim}: ${detail}`;
  return `${verdict.padEnd(11)}  ${subject.padEnd(8)}  ${text}\n`;
}

/** The last line of the table. */
export function countFindings(findings: readonly Finding[]): string {
  const count = (verdict: Finding['verdict']): string =>
    `${findings.filter((finding) => finding.verdict === verdict).length} ${verdict}`;
  return `${[count('confirmed'), count('differs'), count('not checked')].join(', ')}\n`;
}

/** How a call ended. An error is a finding, so the comparison goes on with the next call. */
export type Ended<T> = { readonly value: T } | { readonly threw: string };

/** Longest text about an answer or an error that a row of the table shows. */
const MOST_CHARACTERS = 160;

/** Rejects only with the reason of `interrupt`, and then does not wait for the call. */
export function endOf<T>(call: () => Promise<T>, interrupt?: AbortSignal): Promise<Ended<T>> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      reject(interrupt?.reason as Error);
    };
    if (interrupt?.aborted === true) {
      stop();
      return;
    }
    interrupt?.addEventListener('abort', stop, { once: true });
    void call()
      .then(
        (value) => ({ value }),
        (error: unknown) => ({ threw: describeError(error) }),
      )
      .then((end) => {
        interrupt?.removeEventListener('abort', stop);
        resolve(end);
      });
  });
}

/** `AWS threw …; local …`, or `both …`. */
export function differenceOf<T>(onAws: Ended<T>, here: Ended<T>, describe: (value: T) => string): string {
  const [aws, local] = [onAws, here].map((end) =>
    shorten('threw' in end ? `threw ${end.threw}` : describe(end.value)),
  );
  return aws === local ? `both ${aws}` : `AWS ${aws}; local ${local}`;
}

/** In one line, because it is a part of a row. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.replaceAll(/\s+/g, ' ');
}

function shorten(text: string): string {
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS - 1)}…` : text;
}
