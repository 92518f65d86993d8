/** Asks a deployed pipeline and the same one in a local cloud the same, and says what agrees. */
import { isDeepStrictEqual } from 'node:util';
import { LocalCloud } from '../../local';
import { STACKS } from './app';
import { reach, reachLocal, type Deployment } from './deployment';
import { DENIED, REQUESTS, type Answer, type Scenario } from './scenarios';

export interface Finding {
  readonly subject: string;
  readonly claim: string;
  readonly verdict: 'confirmed' | 'differs' | 'not checked';
  /** What differed, or why it was not checked. */
  readonly detail: string;
}

export type Subject = keyof typeof STACKS;

/** Yields findings as they come. @param arn of the state machine on AWS @param assembly folder of the assembly that is deployed */
export async function* comparePipeline(
  subject: Subject,
  arn: string,
  assembly: string,
): AsyncGenerator<Finding, void, undefined> {
  const cloud = await LocalCloud.start(assembly, { pipeline: STACKS[subject] });
  try {
    const local = await reachLocal(cloud);
    const aws = await endOf(() => reach({ stateMachineArn: arn }));
    const claim = 'the same deployment runs in both';
    if ('threw' in aws) yield { subject, claim, verdict: 'differs', detail: `AWS threw ${aws.threw}` };
    else yield* compareDeployments(subject, aws.value, local);
  } finally {
    await cloud.close();
  }
}

/** Yields each finding when both clouds have answered. */
async function* compareDeployments(
  subject: Subject,
  aws: Deployment,
  local: Deployment,
): AsyncGenerator<Finding, void, undefined> {
  // Both digests name the model, the code and the settings that computed a result.
  const [onAws, here] = [aws, local].map(({ description }) => description.signature.deploymentDigest);
  yield {
    ...{ subject, claim: 'the same deployment runs in both' },
    ...(onAws === here
      ? { verdict: 'confirmed', detail: '' }
      : { verdict: 'differs', detail: `AWS ${onAws}; local ${here}` }),
  };
  for (const { claim, ask, expects } of subject === 'denied' ? DENIED : REQUESTS) {
    const [answer, expected] = await Promise.all([aws, local].map((cloud) => endOf(() => ask(cloud))));
    yield { subject, claim, ...judge(answer, expected, expects) };
  }
}

/** Both must be what is expected, so that two clouds which fail alike confirm nothing. */
function judge(
  onAws: Ended<Answer>,
  here: Ended<Answer>,
  expects: Scenario['expects'],
): Pick<Finding, 'verdict' | 'detail'> {
  const isExpected =
    'value' in here &&
    here.value.status === expects.status &&
    (expects.error === undefined || here.value.error === expects.error);
  if (isExpected && isDeepStrictEqual(onAws, here)) return { verdict: 'confirmed', detail: '' };
  const [aws, local] = [onAws, here].map((end) =>
    shorten('threw' in end ? `threw ${end.threw}` : JSON.stringify(end.value)),
  );
  return { verdict: 'differs', detail: aws === local ? `both ${aws}` : `AWS ${aws}; local ${local}` };
}

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

export async function endOf<T>(call: () => Promise<T>): Promise<Ended<T>> {
  try {
    return { value: await call() };
  } catch (error) {
    // In one line, because it is a part of a row.
    return { threw: String(error).replaceAll(/\s+/g, ' ') };
  }
}

/** Longest text about an answer or an error that a row of the table shows. */
const MOST_CHARACTERS = 160;

function shorten(text: string): string {
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS - 1)}…` : text;
}
