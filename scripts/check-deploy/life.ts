/** The life of a stack: it is deployed, called, updated while it is called, redriven and destroyed. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { GetBucketPolicyCommand, GetObjectCommand, PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, RedriveExecutionCommand } from '@aws-sdk/client-sfn';
import { decodeTensors, type ResultsPlace } from '../../client';
import { until } from '../../test/support/until';
import { Caller, CallerEnded } from './processes';
import type { App, Cloud } from './cloud';
import {
  infers,
  isIdentical,
  machinesOf,
  questionFor,
  requestOf,
  tensorsOf,
  type Form,
  type Machine,
  type Model,
  type Question,
  type Tensors,
} from './pipelines';
import type { Column, Row } from './report';

export interface Subject {
  readonly title: string;
  readonly stack: string;
  readonly app: App;
  /** The whole models at this time, each by a text in the names of its state machines. */
  readonly models: () => Readonly<Record<string, Model>>;
  readonly calls: readonly OtherCall[];
  /** What functions before and after the slices take and return. By default, machines with such functions get only `calls`. */
  readonly form?: Form | undefined;
  /** What is deployed next: each changes the app, and what `models` returns. */
  readonly changes: readonly (readonly [Column, () => void])[];
  /** Why the stack cannot be deployed on this machine. */
  readonly missing?: string | undefined;
  /** Whether nothing else runs beside it, because it needs much memory or has the name of another stack. */
  readonly isAlone?: boolean;
  readonly prepare?: () => Promise<void>;
}

export type OtherCall = readonly [Column, (deployed: Deployed) => Promise<void>];

type Questions = ReadonlyMap<Machine, Question>;

export interface Deployed {
  readonly outputs: Readonly<Partial<Record<string, string>>>;
  readonly machines: readonly Machine[];
  readonly questions: Questions;
  readonly callers: readonly Caller[];
  readonly cloud: Cloud;
}

/** Outputs with the ARN of a role that may call the stack's pipelines, and of one that may not. */
export const CALLER_ROLE = 'CallerRole';
export const STRANGER_ROLE = 'StrangerRole';

export async function live(subject: Subject, cloud: Cloud, row: Row): Promise<void> {
  const { stack, app, prepare } = subject;
  let outputs: Deployed['outputs'] = {};
  const isDeployed = await row.step('deploy', async () => {
    await prepare?.();
    outputs = await cloud.deploy(stack, app);
  });
  if (!isDeployed) return;
  const variables = cloud.asRole(outputs[CALLER_ROLE]);
  const languages = ['TypeScript', 'Python'] as const;
  const callers = languages.map((language) => new Caller(language, cloud.python, variables));
  try {
    await use(subject, { outputs, callers, cloud }, row);
  } catch (error) {
    row.add('other calls', error);
  }
  for (const caller of callers) caller.close();
  await row.step('destroy', () => cloud.destroy(stack, app));
}

async function use(
  subject: Subject,
  started: Pick<Deployed, 'outputs' | 'callers' | 'cloud'>,
  row: Row,
): Promise<void> {
  const { callers, cloud, outputs } = started;
  const machines = await machinesOf(subject.stack, cloud.sfn);
  let questions = await questionsFor(subject, machines);
  const deployed = (): Deployed => ({ ...started, machines, questions });
  const callEach = (calls: Calls, ...allowed: readonly Questions[]): Promise<unknown> =>
    Promise.all(callers.map((caller) => callOn(caller, subject, [questions, ...allowed], row, calls)));
  for (const results of ['auto', 's3'] as const) await callEach({ results });
  if (STRANGER_ROLE in outputs) await count(row, 'denied', () => isRefused(deployed()));
  for (const [column, ask] of subject.calls) await count(row, column, () => ask(deployed()));
  for (const [column, apply] of subject.changes) {
    apply();
    const next = await questionsFor(subject, machines);
    let isOver = false;
    const deploying = cloud.deploy(subject.stack, subject.app).finally(() => (isOver = true));
    // Awaited below, after the calls.
    deploying.catch(() => undefined);
    await callEach({ column, isOver: () => isOver }, next);
    await deploying;
    questions = next;
    await callEach({ column });
    if (column === 'other slices')
      for (const [, ask] of subject.calls) await count(row, column, () => ask(deployed()));
  }
  for (const [machine, question] of questions)
    if (machine.isStandard && infers(machine))
      await count(row, 'redrive', () => failAndRedrive(machine, question, callers[0], cloud));
}

async function questionsFor(subject: Subject, machines: readonly Machine[]): Promise<Questions> {
  const questions = new Map<Machine, Question>();
  for (const machine of machines) {
    const model = Object.entries(subject.models()).find(([text]) => machine.arn.includes(text))?.[1];
    if (machine.pipeline !== undefined && model !== undefined)
      questions.set(machine, await questionFor(model, machine.pipeline, subject.app.cwd));
  }
  if (questions.size === 0) throw new Error(`${subject.stack} must have a pipeline, got none`);
  return questions;
}

interface Calls {
  readonly column?: Column;
  readonly results?: ResultsPlace;
  readonly isOver?: () => boolean;
}

/** Asks each pipeline. @param allowed what to ask, and other results that are right too */
async function callOn(
  caller: Caller,
  { form }: Subject,
  allowed: readonly Questions[],
  row: Row,
  { column = caller.language, results = 'auto', isOver = () => true }: Calls,
): Promise<void> {
  const asked = [...allowed[0]].filter(([machine]) => form !== undefined || infers(machine));
  const ask = async (machine: Machine, question: Question): Promise<void> => {
    const got = await resultsOf(caller, machine.arn, question, { results, form });
    const expected = allowed.flatMap((each) => each.get(machine)?.outputs ?? []);
    if (!expected.some((each) => isIdentical(each, got)))
      throw new Error(`the results in ${caller.language} differ from those of ONNX Runtime`);
  };
  do for (const [machine, question] of asked) await count(row, column, () => ask(machine, question));
  while (asked.length > 0 && !isOver());
}

async function resultsOf(
  caller: Caller,
  stateMachineArn: string,
  { file, inputs }: Question,
  { form, results }: Pick<Subject, 'form'> & Pick<Calls, 'results'>,
): Promise<Tensors> {
  if (form !== undefined) {
    const { output } = await caller.call({ stateMachineArn, json: form.wrap(requestOf(inputs)) });
    return tensorsOf(form.unwrap(output as never));
  }
  const outputs = path.join(path.dirname(file), `outputs-${caller.language}`);
  await caller.call({ stateMachineArn, inputs: file, outputs, ...(results && { results }) });
  return decodeTensors(fs.readFileSync(outputs));
}

async function isRefused({ outputs, cloud, questions }: Deployed): Promise<void> {
  const [[{ arn }, { file }]] = questions;
  const stranger = new Caller('TypeScript', cloud.python, cloud.asRole(outputs[STRANGER_ROLE]));
  const { error = 'none' } = await stranger.answer({ stateMachineArn: arn, inputs: file });
  stranger.close();
  if (!error.includes('AccessDenied'))
    throw new Error(`a role without permissions must be denied, got ${error}`);
}

/** Lets an execution of a Standard pipeline fail, and redrives it when the cause is gone. */
async function failAndRedrive(
  { arn, pipeline }: Machine,
  { file, outputs }: Question,
  caller: Caller,
  { s3, sfn }: Cloud,
): Promise<void> {
  const Bucket = pipeline?.bucket;
  const { Policy = '{}' } = await s3.send(new GetBucketPolicyCommand({ Bucket }));
  const policy = JSON.parse(Policy) as { Statement: object[] };
  const denial = {
    ...{ Effect: 'Deny', Principal: '*', Action: 's3:PutObject' },
    Resource: `arn:aws:s3:::${Bucket ?? ''}/outputs/*`,
  };
  const denied = JSON.stringify({ ...policy, Statement: [...policy.Statement, denial] });
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: denied }));
  const request = { stateMachineArn: arn, inputs: file, outputs: `${file}.failed`, results: 's3' } as const;
  const { error = 'none', executionArn } = await caller.answer(request);
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  if (!error.startsWith('SliceFailed'))
    throw new Error(`a run must fail that may not write its results, got ${error}`);

  await sfn.send(new RedriveExecutionCommand({ executionArn }));
  const end = await until('the end of the redriven run', async () => {
    const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return execution.status !== 'RUNNING' && execution;
  });
  if (end.status !== 'SUCCEEDED')
    throw new Error(`the redriven run must succeed, got ${end.error ?? 'none'}: ${end.cause ?? ''}`);
  const { s3: place } = (JSON.parse(end.output ?? '') as { outputs: { s3: { key: string } } }).outputs;
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: place.key }));
  const results = decodeTensors((await Body?.transformToByteArray()) ?? new Uint8Array());
  if (!isIdentical(outputs, results))
    throw new Error('the redriven run returned other bits than ONNX Runtime');
}

async function count(row: Row, column: Column, call: () => Promise<void>): Promise<void> {
  try {
    await call();
    row.add(column);
  } catch (error) {
    if (error instanceof CallerEnded) throw error;
    row.add(column, error);
  }
}
