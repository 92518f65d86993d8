/** The life of a stack: it is deployed, called, updated while it is called, and destroyed. */
import { infers, type Call } from './calls';
import type { Client, Cloud } from './cloud';

export interface Subject {
  readonly title: string;
  readonly stack: string;
  /** Of the assembly, and of what CDK writes. */
  readonly folder: string;
  /** Each writes the assembly of what is deployed next, and returns the path of its model. */
  readonly versions: readonly (() => string)[];
  readonly calls: readonly Call[];
}

/** The outputs of a stack. */
export type Outputs = Readonly<Record<string, string>>;

export interface Deployed {
  readonly outputs: Outputs;
  readonly client: Client;
  readonly cloud: Cloud;
  /** The whole models of the version that is deployed and, during an update, of the next. */
  readonly models: readonly string[];
}

const DENIED = { name: expect.stringContaining('AccessDenied') as string };

export async function live(subject: Subject, cloud: Cloud): Promise<void> {
  const { stack, folder, versions } = subject;
  const model = versions[0]();
  const outputs = await cloud.deploy(stack, folder);
  try {
    await use(subject, { outputs, cloud, client: cloud.clientOf(outputs.CallerRole), models: [model] });
  } finally {
    await cloud.destroy(stack, folder);
  }
}

async function use({ stack, folder, versions, calls }: Subject, deployed: Deployed): Promise<void> {
  const { cloud, outputs } = deployed;
  for (const call of calls) await call(deployed);
  const stranger = cloud.clientOf(outputs.StrangerRole);
  await expect(infers()({ ...deployed, client: stranger })).rejects.toMatchObject(DENIED);
  if (versions.length === 1) return;

  const model = versions[1]();
  let isOver = false;
  const callMeanwhile = async (): Promise<void> => {
    do await calls[0]({ ...deployed, models: [...deployed.models, model] });
    while (!isOver);
  };
  const calling = callMeanwhile();
  // Awaited below, after the deployment.
  calling.catch(() => undefined);
  await cloud.deploy(stack, folder).finally(() => (isOver = true));
  await calling;
  for (const call of calls) await call({ ...deployed, models: [model] });
}
