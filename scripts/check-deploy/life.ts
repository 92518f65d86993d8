/** The life of a stack: it is deployed, called, updated while it is called, redriven and destroyed. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { decodeTensors, type ResultsPlace } from '../../client';
import { Caller, CallerEnded } from './callers';
import type { App, Cdk } from './cdk';
import { asRole, asRoot, type MiniStack } from './ministack';
import { infers, isIdentical, machinesOf, questionFor, requestOf, tensorsOf } from './pipelines';
import type { Form, Machine, Model, Question, Tensors } from './pipelines';
import { failAndRedrive } from './redrive';
import type { Column, Row } from './report';

export interface Subject {
  readonly title: string;
  /** Name of the stack. */
  readonly stack: string;
  readonly app: App;
  /** The whole models at this time, each by a text in the names of its state machines. */
  readonly models: () => Readonly<Record<string, Model>>;
  /** Calls beside those of both clients. They throw if the answer is not that of ONNX Runtime. */
  readonly calls: readonly OtherCall[];
  /** What functions before and after the slices take and return. By default, machines with such functions get only `calls`. */
  readonly form?: Form | undefined;
  /** What is deployed next: each changes the app, and what `models` returns. */
  readonly changes: readonly (readonly [Column, () => void])[];
  /** Why the stack cannot be deployed on this machine. */
  readonly missing?: string | undefined;
  /** Whether it needs so much memory that nothing else runs beside it. */
  readonly isLarge?: boolean;
  /** Makes the folder of the app. */
  readonly prepare?: () => Promise<void>;
}

export type OtherCall = readonly [Column, (deployed: Deployed) => Promise<void>];

type Questions = ReadonlyMap<Machine, Question>;

export interface Deployed {
  readonly outputs: Readonly<Record<string, string>>;
  readonly machines: readonly Machine[];
  readonly questions: Questions;
  readonly callers: readonly Caller[];
  readonly cloud: Cloud;
}

export interface Cloud {
  readonly ministack: MiniStack;
  readonly cdk: Cdk;
  readonly python: string;
  /** As the root user. */
  readonly s3: S3Client;
  readonly sfn: SFNClient;
}

/** Outputs with the ARN of a role that may call the stack's pipelines, and of one that may not. */
export const CALLER_ROLE = 'CallerRole';
export const STRANGER_ROLE = 'StrangerRole';

/** Writes all that happens into the row. */
export async function live(subject: Subject, cloud: Cloud, row: Row): Promise<void> {
  const { stack, app, prepare } = subject;
  let outputs: Deployed['outputs'] = {};
  const isDeployed = await row.step('deploy', async () => {
    await prepare?.();
    outputs = await cloud.cdk.deploy(stack, app);
  });
  if (!isDeployed) return;
  const variables = variablesOf(CALLER_ROLE, outputs, cloud, app.cwd);
  const callers = [Caller.typescript(variables), Caller.python(cloud.python, variables)];
  try {
    await use(subject, { outputs, callers, cloud }, row);
  } catch (error) {
    row.add('other calls', error);
  }
  for (const caller of callers) caller.close();
  await row.step('destroy', () => cloud.cdk.destroy(stack, app));
}

/** Of the role in this output, or else of the root user. */
function variablesOf(
  output: string,
  outputs: Deployed['outputs'],
  { ministack }: Cloud,
  folder: string,
): NodeJS.ProcessEnv {
  return output in outputs ? asRole(ministack, outputs[output], folder) : asRoot(ministack);
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
  for (const results of ['auto', 's3'] as const)
    await callEach(subject, deployed(), [questions], row, { results });
  if (STRANGER_ROLE in outputs) await count(row, 'denied', () => isRefused(deployed()));
  for (const [column, ask] of subject.calls) await count(row, column, () => ask(deployed()));
  for (const [column, apply] of subject.changes) {
    apply();
    const next = await questionsFor(subject, machines);
    let isOver = false;
    const deploying = cloud.cdk.deploy(subject.stack, subject.app).finally(() => (isOver = true));
    // Awaited below, after the calls.
    deploying.catch(() => undefined);
    await callEach(subject, deployed(), [questions, next], row, { column, isOver: () => isOver });
    await deploying;
    questions = next;
    await callEach(subject, deployed(), [questions], row, { column });
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
  return questions;
}

interface Calls {
  /** By default that of the caller's language. */
  readonly column?: Column;
  readonly results?: ResultsPlace;
  /** When to call no more; by default after one call. */
  readonly isOver?: () => boolean;
}

/** Both callers ask each pipeline, beside each other. @param allowed the results of each of them are right */
async function callEach(
  { form }: Subject,
  { callers, questions }: Deployed,
  allowed: readonly Questions[],
  row: Row,
  { column, results = 'auto', isOver = () => true }: Calls,
): Promise<void> {
  const ask = async (caller: Caller, machine: Machine, question: Question): Promise<void> => {
    const got = await resultsOf(caller, machine.arn, question, { results, form });
    const expected = allowed.flatMap((each) => each.get(machine)?.outputs ?? []);
    if (!expected.some((each) => isIdentical(each, got)))
      throw new Error(`the results in ${caller.language} differ from those of ONNX Runtime`);
  };
  const asked = [...questions].filter(([machine]) => form !== undefined || infers(machine));
  const callOn = async (caller: Caller): Promise<void> => {
    do
      for (const [machine, question] of asked)
        await count(row, column ?? caller.language, () => ask(caller, machine, question));
    while (asked.length > 0 && !isOver());
  };
  await Promise.all(callers.map(callOn));
}

async function resultsOf(
  caller: Caller,
  stateMachineArn: string,
  { file, inputs }: Question,
  { form, results }: Pick<Subject, 'form'> & Pick<Calls, 'results'>,
): Promise<Tensors> {
  const outputs = path.join(path.dirname(file), `outputs-${caller.language}`);
  const request = form ? { json: form.wrap(requestOf(inputs)) } : { inputs: file, outputs, results };
  const { error, output } = await caller.call({ stateMachineArn, ...request });
  if (error !== undefined) throw new Error(error);
  return form ? tensorsOf(form.unwrap(output as never)) : decodeTensors(fs.readFileSync(outputs));
}

/** A role without permissions is denied. */
async function isRefused({ outputs, cloud, questions }: Deployed): Promise<void> {
  const [[{ arn }, { file }]] = questions;
  const folder = fs.mkdtempSync(path.join(path.dirname(file), 'stranger-'));
  const stranger = Caller.typescript(variablesOf(STRANGER_ROLE, outputs, cloud, folder));
  const { error = 'none' } = await stranger.call({ stateMachineArn: arn, inputs: file });
  stranger.close();
  if (!error.includes('AccessDenied'))
    throw new Error(`a role without permissions must be denied, got ${error}`);
}

/** @throws CallerEnded */
async function count(row: Row, column: Column, call: () => Promise<void>): Promise<void> {
  try {
    await call();
    row.add(column);
  } catch (error) {
    if (error instanceof CallerEnded) throw error;
    row.add(column, error);
  }
}
