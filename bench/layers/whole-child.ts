/** Runs a whole model in one session of ONNX Runtime, as slices run: the inputs are a safetensors file, and so are the results. */
import * as fs from 'node:fs';
import { decodeTensors, encodeTensors } from '../../client';
import { Session } from '../../lambda/slice/session';

export interface WholeRun {
  readonly model: string;
  readonly threads: number;
  readonly inputs: string;
  readonly outputs: string;
}

async function main({ model, threads, inputs, outputs }: WholeRun): Promise<void> {
  const session = await Session.open({ path: model, threads });
  const results = await session.run(decodeTensors(fs.readFileSync(inputs)), session.outputNames);
  fs.writeFileSync(outputs, encodeTensors(results));
}

if (require.main === module) void main(JSON.parse(process.argv[2]) as WholeRun);
