/** The life of a stack: it is deployed, called, updated while it is called, and destroyed. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { decodeTensors, type ResultsPlace } from '../../client';
import { Caller, CallerEnded } from './processes';
import type { App, Cloud, Outputs } from './cloud';
import {
  infers,
  isIdentical,
  machinesOf,
  questionFor,
  type Machine,
  type Model,
  type Question,
} from './pipelines';

export interface Subject {
  readonly title: string;
  readonly stack: string;
  readonly app: App;
  /** The whole model at this time. */
  readonly model: () => Model;
  readonly calls?: readonly OtherCall[];
  /** Changes what is deployed next, and what `model` returns. */
  readonly update?: (() => void) | undefined;
  /** Whether CI deploys it too. */
  readonly isSelected?: boolean;
}

export type OtherCall = (deployed: Deployed) => Promise<void>;

type Questions = ReadonlyMap<Machine, Question>;

export interface Deployed {
  readonly outputs: Outputs;
  readonly machines: readonly Machine[];
  readonly questions: Questions;
  readonly callers: readonly Caller[];
  readonly cloud: Cloud;
}

/** Outputs with the ARN of a role that may call the stack's pipelines, and of one that may not. */
export const CALLER_ROLE = 'CallerRole';
export const STRANGER_ROLE = 'StrangerRole';

export class Tally {
  right = 0;
  readonly failures = new Set<string>();

  async count<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await work();
      this.right++;
      return result;
    } catch (error) {
      this.failures.add(`${what}: ${(error as Error).message}`);
      // It answers nothing more.
      if (error instanceof CallerEnded) throw error;
      return undefined;
    }
  }
}

export async function live(subject: Subject, cloud: Cloud): Promise<Tally> {
  const tally = new Tally();
  const { stack, app } = subject;
  const outputs = await tally.count('deploy', () => cloud.deploy(stack, app));
  if (outputs === undefined) return tally;
  const variables = cloud.asRole(outputs[CALLER_ROLE]);
  const callers = (['TypeScript', 'Python'] as const).map(
    (language) => new Caller(language, cloud.python, variables),
  );
  // A caller that has ended is in the tally, and the stack must be destroyed.
  await tally.count('life', () => use(subject, { outputs, callers, cloud }, tally)).catch(() => undefined);
  for (const caller of callers) caller.close();
  await tally.count('destroy', () => cloud.destroy(stack, app));
  return tally;
}

async function use(
  subject: Subject,
  started: Pick<Deployed, 'outputs' | 'callers' | 'cloud'>,
  tally: Tally,
): Promise<void> {
  const { stack, app, calls = [], update } = subject;
  const { callers, cloud, outputs } = started;
  const machines = await machinesOf(stack, cloud.sfn);
  let questions = await questionsFor(subject, machines);
  const callAll = async (what: string, options: Asking, ...allowed: readonly Questions[]): Promise<void> => {
    const ask = (caller: Caller) => askEach(caller, [questions, ...allowed], tally, what, options);
    await Promise.all(callers.map(ask));
  };
  const callOthers = async (what: string): Promise<void> => {
    const deployed = { ...started, machines, questions };
    for (const call of calls) await tally.count(what, () => call(deployed));
  };
  for (const results of ['auto', 's3'] as const) await callAll('infer', { results });
  if (STRANGER_ROLE in outputs)
    await tally.count('denied', () => isRefused({ ...started, machines, questions }));
  await callOthers('other calls');
  if (update === undefined) return;

  update();
  const next = await questionsFor(subject, machines);
  let isOver = false;
  const deploying = cloud.deploy(stack, app).finally(() => (isOver = true));
  // Awaited below, after the calls.
  deploying.catch(() => undefined);
  await callAll('infer during an update', { isOver: () => isOver }, next);
  await deploying;
  questions = next;
  await callAll('infer after an update', {});
  await callOthers('other calls after an update');
}

async function questionsFor(
  { stack, model, app }: Subject,
  machines: readonly Machine[],
): Promise<Questions> {
  const questions = new Map<Machine, Question>();
  for (const machine of machines)
    if (machine.pipeline !== undefined)
      questions.set(machine, await questionFor(model(), machine.pipeline, app.cwd));
  if (questions.size === 0) throw new Error(`${stack} must have a pipeline, got none`);
  return questions;
}

interface Asking {
  readonly results?: ResultsPlace;
  readonly isOver?: () => boolean;
}

/** Asks each pipeline that takes tensors. @param allowed what to ask, and other results that are right too */
async function askEach(
  caller: Caller,
  allowed: readonly Questions[],
  tally: Tally,
  what: string,
  { results = 'auto', isOver = () => true }: Asking,
): Promise<void> {
  const asked = [...allowed[0]].filter(([machine]) => infers(machine));
  const ask = async (machine: Machine, { file }: Question): Promise<void> => {
    const outputs = path.join(path.dirname(file), `outputs-${caller.language}`);
    await caller.call({ stateMachineArn: machine.arn, inputs: file, outputs, results });
    const got = decodeTensors(fs.readFileSync(outputs));
    const expected = allowed.flatMap((each) => each.get(machine)?.outputs ?? []);
    if (!expected.some((each) => isIdentical(each, got)))
      throw new Error(`the results in ${caller.language} differ from those of ONNX Runtime`);
  };
  do for (const [machine, question] of asked) await tally.count(what, () => ask(machine, question));
  while (asked.length > 0 && !isOver());
}

async function isRefused({ outputs, cloud, questions }: Deployed): Promise<void> {
  const [[{ arn }, { file }]] = questions;
  const stranger = new Caller('TypeScript', cloud.python, cloud.asRole(outputs[STRANGER_ROLE]));
  const end = stranger.call({ stateMachineArn: arn, inputs: file }).then(
    () => 'an answer',
    (error: unknown) => String(error),
  );
  const got = await end.finally(() => {
    stranger.close();
  });
  if (!got.includes('AccessDenied')) throw new Error(`a role without permissions must be denied, got ${got}`);
}
