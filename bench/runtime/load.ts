/** Runs many executions concurrently, and checks that all results are right and that memory does not grow. */
import * as fs from 'node:fs';
import { decodeTensors, encodeTensors, type ExecutionOutput, type RawTensor } from '../../client';
import { Session } from '../../lambda/slice/session';
import { LocalCloud } from '../../local';
import { formatTable } from '../table';

const IN_FLIGHT = 32;

interface LoadSubject {
  readonly name: string;
  readonly assembly: string;
  readonly modelPath: string;
  readonly input: string;
  readonly width: number;
  /** Whether the functions have no sandbox yet when the executions start. */
  readonly cold: boolean;
}

export async function benchLoad(subjects: readonly LoadSubject[], executions: number): Promise<string> {
  const rows: string[][] = [];
  for (const subject of subjects) rows.push(await row(subject, executions));
  return formatTable(
    [
      `${executions} executions, ${IN_FLIGHT} at a time`,
      'right results',
      's',
      'sandboxes',
      'resident MB after a quarter of them',
      'resident MB at the end',
      'ratio',
    ],
    rows,
  );
}

async function row(subject: LoadSubject, executions: number): Promise<string[]> {
  const cloud = await LocalCloud.start(subject.assembly);
  try {
    const whole = await Session.open({ path: subject.modelPath, threads: 1 });
    if (!subject.cold) await execute(cloud, subject, 0);
    const start = performance.now();
    let [next, right, quarter] = [0, 0, 0];
    let quarterWorkers: ReadonlySet<number> = new Set();
    const worker = async (): Promise<void> => {
      while (next < executions) {
        const execution = next++;
        const outputs = await execute(cloud, subject, execution);
        if (await isRight(whole, subject, execution, outputs)) right++;
        if (execution !== Math.floor(executions / 4)) continue;
        quarterWorkers = new Set(cloud.workers().map(({ pid }) => pid));
        quarter = resident(quarterWorkers);
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
    const seconds = (performance.now() - start) / 1000;
    // Count only the sandboxes of that time: later ones are not a growth of memory.
    const end = resident(quarterWorkers);
    return [
      subject.name,
      `${right} of ${executions}`,
      seconds.toFixed(1),
      String(cloud.workers().length),
      (quarter / 1e6).toFixed(0),
      (end / 1e6).toFixed(0),
      (end / quarter).toFixed(3),
    ];
  } finally {
    await cloud.close();
  }
}

function inputOf({ input, width }: LoadSubject, execution: number): Map<string, RawTensor> {
  const values = Float32Array.from({ length: width }, (_, index) => Math.cos(index * (execution + 1)));
  return new Map([[input, { dtype: 'float32', shape: [1, width], bytes: new Uint8Array(values.buffer) }]]);
}

async function execute(
  cloud: LocalCloud,
  subject: LoadSubject,
  execution: number,
): Promise<ReadonlyMap<string, RawTensor>> {
  const s3 = `inputs/${execution}.safetensors`;
  await cloud.putObject(s3, encodeTensors(inputOf(subject, execution)));
  const result = await cloud.execute({ version: 1, inputs: { s3 }, output: { inline: 'never' } });
  if (result.status !== 'SUCCEEDED') throw new Error(`${result.error}: ${result.cause}`);
  const { outputs } = result.output as unknown as ExecutionOutput;
  return decodeTensors(await cloud.getObject(outputs.s3?.key ?? ''));
}

async function isRight(
  whole: Session,
  subject: LoadSubject,
  execution: number,
  outputs: ReadonlyMap<string, RawTensor>,
): Promise<boolean> {
  const expected = await whole.run(inputOf(subject, execution), whole.outputNames);
  return [...expected].every(([name, tensor]) => {
    const got = outputs.get(name);
    return (
      got !== undefined &&
      'bytes' in got &&
      'bytes' in tensor &&
      Buffer.compare(got.bytes, tensor.bytes) === 0
    );
  });
}

/** Resident memory of the processes, in bytes. */
function resident(pids: ReadonlySet<number>): number {
  let sum = 0;
  for (const pid of pids) {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'latin1'));
    sum += Number(kilobytes?.at(1) ?? 0) * 1024;
  }
  return sum;
}
