/** The life of a stack: it is deployed, called, updated while it is called, redriven and destroyed. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { decodeTensors, type ResultsPlace } from '../../client';
import { Caller, CallerEnded } from './callers';
import type { App, Cdk } from './cdk';
import { asRole, asRoot, type MiniStack } from './ministack';
import {
  infers,
  isIdentical,
  machinesOf,
  questionFor,
  type Machine,
  type Model,
  type Question,
} from './pipelines';
import { failAndRedrive } from './redrive';
import type { Column, Row } from './report';

export interface Subject {
  readonly title: string;
  /** Name of the stack. */
  readonly stack: string;
  readonly app: App;
  /** The whole models at this time, each by a text in the names of its state machines. */
  readonly models: () => Readonly<Record<string, Model>>;
  /** Calls beside those of both clients. */
  readonly calls?: readonly OtherCall[];
  /** What is deployed next. */
  readonly changes: readonly Change[];
  /** Why the stack cannot be deployed on this machine. */
  readonly missing?: () => string | undefined;
  /** Whether it needs so much memory that nothing else runs beside it. */
  readonly isLarge?: boolean;
  /** Makes the folder of the app. */
  readonly prepare?: () => Promise<void>;
}

export interface OtherCall {
  readonly column: Column;
  /** Throws if the answer is not that of ONNX Runtime. */
  readonly ask: (deployed: Deployed) => Promise<void>;
}

export interface Change {
  readonly column: Column;
  /** Changes the app, and what `models` returns. */
  readonly apply: () => void;
}

export interface Deployed {
  readonly outputs: Readonly<Record<string, string>>;
  readonly machines: readonly Machine[];
  readonly questions: ReadonlyMap<Machine, Question>;
  readonly callers: readonly Caller[];
  readonly cloud: Cloud;
}

export interface Cloud {
  readonly ministack: MiniStack;
  readonly cdk: Cdk;
  readonly python: string;
  readonly s3: S3Client;
  readonly sfn: SFNClient;
}

/** Outputs of a stack with the ARN of a role that may call its pipelines, and of one that may not. */
export const CALLER_ROLE = 'CallerRole';
export const STRANGER_ROLE = 'StrangerRole';

/** Writes all that happens into the row. */
export async function live(subject: Subject, cloud: Cloud, row: Row): Promise<void> {
  const { stack, app } = subject;
  let outputs: Deployed['outputs'] = {};
  const isDeployed = await row.step('deploy', async () => {
    await subject.prepare?.();
    outputs = await cloud.cdk.deploy(stack, app);
  });
  const { [CALLER_ROLE]: role } = outputs;
  const env = role === undefined ? asRoot(cloud.ministack) : asRole(cloud.ministack, role, app.cwd);
  const callers = isDeployed ? Caller.both(cloud.python, env) : [];
  try {
    if (isDeployed) await use(subject, cloud, row, { outputs, callers });
  } catch (error) {
    row.wrong('other calls', error);
  } finally {
    for (const caller of callers) caller.close();
    await row.step('destroy', () => cloud.cdk.destroy(stack, app));
  }
}

async function use(
  subject: Subject,
  cloud: Cloud,
  row: Row,
  started: Pick<Deployed, 'outputs' | 'callers'>,
): Promise<void> {
  const machines = await machinesOf(subject.stack, cloud.sfn);
  let questions = await questionsFor(subject, machines);
  const deployed = (): Deployed => ({ ...started, machines, questions, cloud });
  for (const results of ['auto', 's3'] as const) await callEach(deployed(), [questions], row, { results });
  await isRefused(deployed(), row);
  for (const { column, ask } of subject.calls ?? []) await count(row, column, () => ask(deployed()));
  for (const { column, apply } of subject.changes) {
    apply();
    const next = await questionsFor(subject, machines);
    let isOver = false;
    const deploying = cloud.cdk.deploy(subject.stack, subject.app).finally(() => (isOver = true));
    // Awaited below, after the calls.
    deploying.catch(() => undefined);
    await callEach(deployed(), [questions, next], row, { column, until: () => isOver });
    await deploying;
    questions = next;
    await callEach(deployed(), [questions], row, { column });
  }
  for (const [machine, question] of questions)
    if (machine.isStandard)
      await count(row, 'redrive', () => failAndRedrive(machine, question, started.callers[0], cloud));
}

async function questionsFor(subject: Subject, machines: readonly Machine[]): Promise<Map<Machine, Question>> {
  const questions = new Map<Machine, Question>();
  const models = Object.entries(subject.models());
  for (const machine of machines) {
    const model = models.find(([text]) => machine.arn.includes(text))?.[1];
    if (machine.pipeline === undefined || model === undefined) continue;
    questions.set(machine, await questionFor(model, machine.pipeline, subject.app.cwd));
  }
  return questions;
}

interface Calls {
  /** By default that of the caller's language. */
  readonly column?: Column;
  readonly results?: ResultsPlace;
  /** Calls on until then; by default once. */
  readonly until?: () => boolean;
}

/** Both callers ask each pipeline, beside each other. @param allowed the results of each of them are right */
async function callEach(
  { callers, questions }: Deployed,
  allowed: readonly ReadonlyMap<Machine, Question>[],
  row: Row,
  { column, results = 'auto', until = () => true }: Calls,
): Promise<void> {
  const callOn = async (caller: Caller): Promise<void> => {
    do
      for (const [machine, { file }] of questions)
        if (infers(machine))
          await count(row, column ?? caller.language, async () => {
            const place = path.join(path.dirname(file), `outputs-${caller.language}`);
            const request = { stateMachineArn: machine.arn, inputs: file, outputs: place, results };
            const { error } = await caller.call(request);
            if (error !== undefined) throw new Error(error);
            const got = decodeTensors(fs.readFileSync(place));
            const expected = allowed.flatMap((each) => each.get(machine)?.outputs ?? []);
            if (!expected.some((outputs) => isIdentical(outputs, got)))
              throw new Error(`the results in ${caller.language} differ from those of ONNX Runtime`);
          });
    while (!until());
  };
  await Promise.all(callers.map(callOn));
}

/** A role without permissions is denied. */
async function isRefused({ outputs, cloud, questions }: Deployed, row: Row): Promise<void> {
  const { [STRANGER_ROLE]: role } = outputs;
  const [[machine, { file }]] = questions;
  if (role === undefined) return;
  const folder = fs.mkdtempSync(path.join(path.dirname(file), 'stranger-'));
  const stranger = Caller.typescript(asRole(cloud.ministack, role, folder));
  await count(row, 'denied', async () => {
    const { error = 'none' } = await stranger.call({ stateMachineArn: machine.arn, inputs: file });
    if (!error.includes('AccessDenied'))
      throw new Error(`a role without permissions must be denied, got ${error}`);
  });
  stranger.close();
}

/** @throws CallerEnded */
async function count(row: Row, column: Column, call: () => Promise<void>): Promise<void> {
  try {
    await call();
    row.right(column);
  } catch (error) {
    if (error instanceof CallerEnded) throw error;
    row.wrong(column, error);
  }
}
