/** Asks two clouds the same, and says what agrees. */
import { isDeepStrictEqual } from 'node:util';
import type { Deployment } from './deployment';
import { differenceOf, endOf, type Ended } from './end-of-call';
import { infer, type Answer, type Scenario } from './scenarios';

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
