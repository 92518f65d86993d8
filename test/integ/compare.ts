/** Asks two clouds the same, and says what agrees. */
import { isDeepStrictEqual } from 'node:util';
import type { Deployment } from './deployment';
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

export async function compareScenarios(
  subject: string,
  { aws, local }: Pair,
  scenarios: readonly Scenario[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { claim, ask, expects } of scenarios) {
    const [onAws, here] = await Promise.all([ask(aws), ask(local)]);
    findings.push({ subject, claim, ...judge(onAws, here, expects) });
  }
  return findings;
}

/** Both must be what is expected, so that two clouds which fail alike confirm nothing. */
export function judge(
  onAws: Answer,
  here: Answer,
  expects: Scenario['expects'],
): Pick<Finding, 'verdict' | 'detail'> {
  const isExpected = (answer: Answer): boolean =>
    answer.status === expects.status && (expects.error === undefined || answer.error === expects.error);
  if (isDeepStrictEqual(onAws, here) && isExpected(here)) return { verdict: 'confirmed', detail: '' };
  const [aws, local] = [onAws, here].map(short);
  return { verdict: 'differs', detail: aws === local ? `both ${aws}` : `AWS ${aws}; local ${local}` };
}

/** Longest answer that a table shows. */
const MOST_CHARACTERS = 160;

function short(answer: Answer): string {
  const text = JSON.stringify(answer);
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS - 1)}…` : text;
}

/** Both digests name the model, the code and the settings that computed a result. */
export function compareDigests(subject: string, { aws, local }: Pair): Finding {
  const [onAws, here] = [aws, local].map(({ description }) => description.signature.deploymentDigest);
  const claim = 'the same deployment runs in both';
  return onAws === here
    ? { subject, claim, verdict: 'confirmed', detail: '' }
    : { subject, claim, verdict: 'differs', detail: `AWS ${onAws}; local ${here}` };
}

/** Times differ by nature, so the table only states them. */
export async function measureTimes(subject: string, { aws, local }: Pair): Promise<Finding> {
  const medianOf = async (deployment: Deployment): Promise<string> => {
    const times: number[] = [];
    for (let run = 0; run < TIMED_RUNS; run++) {
      const start = performance.now();
      await infer(deployment, 1);
      times.push(performance.now() - start);
    }
    return `${times.sort((a, b) => a - b)[Math.floor(TIMED_RUNS / 2)].toFixed(0)} ms`;
  };
  const [onAws, here] = [await medianOf(aws), await medianOf(local)];
  return {
    subject,
    claim: 'times of warm runs',
    verdict: 'not checked',
    detail: `medians of ${TIMED_RUNS} runs: AWS ${onAws}, local ${here}`,
  };
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

export function describeFindings(findings: readonly Finding[]): string {
  const rows = findings.map(({ verdict, subject, claim, detail }) =>
    [verdict.padEnd(11), subject.padEnd(8), detail === '' ? claim : `${claim}: ${detail}`].join('  '),
  );
  const count = (verdict: Finding['verdict']): string =>
    `${findings.filter((finding) => finding.verdict === verdict).length} ${verdict}`;
  return [...rows, '', [count('confirmed'), count('differs'), count('not checked')].join(', '), ''].join(
    '\n',
  );
}
