/** The life of a stack: it is deployed, called, updated while it is called, and destroyed. */
import { infers, type Call } from './calls';
import type { Client, Cloud } from './cloud';

export interface Subject {
  readonly title: string;
  readonly stack: string;
  /** Of the assembly, and of what CDK writes. */
  readonly folder: string;
  readonly versions: readonly Version[];
  readonly calls: readonly Call[];
}

export interface Version {
  /** Writes the assembly of what is deployed next, and returns the path of its model. */
  readonly write: () => string;
  /** Whether calls of the version before may fail, because the update replaces what they call. */
  readonly isMove?: boolean;
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
  const model = versions[0].write();
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
  let before = deployed;
  for (const { write, isMove = false } of versions.slice(1)) {
    const model = write();
    let isOver = isMove;
    const callMeanwhile = async (): Promise<void> => {
      while (!isOver) await calls[0]({ ...before, models: [...before.models, model] });
    };
    const calling = callMeanwhile();
    // Awaited below, after the deployment.
    calling.catch(() => undefined);
    const outputs = await cloud.deploy(stack, folder).finally(() => (isOver = true));
    await calling;
    before = { ...before, outputs, models: [model] };
    for (const call of calls) await call(before);
  }
}
