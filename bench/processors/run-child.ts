/** Runs models with the session of the functions, in the program whose processor is asked about. The argument is a file of `Job`s. */
import * as fs from 'node:fs';
import { Session } from '../../lambda/slice/session';
import { decodeSafetensors, encodeSafetensors } from '../../lambda/tensors/safetensors';

/** Paths of a model, of a safetensors file with its inputs, and of one for its outputs. */
export interface Job {
  readonly model: string;
  readonly inputs: string;
  readonly outputs: string;
}

async function run({ model, inputs, outputs }: Job): Promise<void> {
  const session = await Session.open({ path: model, threads: 1 });
  const results = await session.run(decodeSafetensors(fs.readFileSync(inputs)), session.outputNames);
  fs.writeFileSync(outputs, encodeSafetensors(results));
  await session.release();
}

async function main(): Promise<void> {
  const jobs = JSON.parse(fs.readFileSync(process.argv[2], 'utf8')) as readonly Job[];
  for (const job of jobs) await run(job);
}

void main();
