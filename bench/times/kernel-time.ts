/** Measures the kernel of a model with one operator. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Session } from '../../lambda/slice/session';
import { inputsOf } from '../inputs';
import { requestOf } from '../prepacking/request';

interface ProfilerEvent {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly dur: number;
}

/** The profiler's time, because a call's own contains new memory for the outputs. The median of the shorter half, of one thread. */
export async function kernelMs(file: string, prepacking: boolean, runs: number): Promise<number> {
  const profilePrefix = `${file}-events`;
  const session = await Session.open({ path: file, threads: 1, prepacking, profilePrefix });
  const inputs = inputsOf({ name: file, file, dimensions: {} }, requestOf(file));
  for (let index = 0; index <= runs; index++) await session.run(inputs, session.outputNames);
  session.endProfiling();
  await session.release();
  const folder = path.dirname(file);
  const name = fs.readdirSync(folder).find((own) => own.startsWith(path.basename(profilePrefix)));
  if (name === undefined) throw new Error("the profiler's file is missing");
  const events = JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')) as ProfilerEvent[];
  fs.rmSync(path.join(folder, name));
  const times = events
    .filter((event) => event.cat === 'Node' && event.name.endsWith('kernel_time'))
    .map(({ dur }) => dur / 1000);
  // The first run reads the weights.
  return times.slice(1).sort((a, b) => a - b)[Math.floor(runs / 4)];
}
