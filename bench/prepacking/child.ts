/** Loads and runs one model in a process of its own, and prints what it measured. */
import * as fs from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { Session } from '../../lambda/slice/session';
import { peakMemoryBytes } from '../../lambda/telemetry/telemetry';
import { type RawTensor, typedView } from '../../lambda/tensors/tensor';
import { inputsOf } from '../inputs';
import type { Job, Measured } from './job';
import { requestOf } from './request';

type Run = () => Promise<unknown>;

async function open({ model, mode }: Job, inputs: Map<string, RawTensor>): Promise<Run> {
  if (mode === 'packed' || mode === 'not packed') {
    const session = await Session.open({ path: model.file, threads: 1, prepacking: mode === 'packed' });
    return () => session.run(inputs, session.outputNames);
  }
  const common = { intraOpNumThreads: 1, logSeverityLevel: 4 } as const;
  const session = await InferenceSession.create(
    model.file,
    mode === 'default'
      ? common
      : {
          ...common,
          ...{ graphOptimizationLevel: 'disabled', enableMemPattern: false },
          extra: { session: { intra_op: { allow_spinning: '0' } } },
        },
  );
  const feeds = Object.fromEntries([...inputs].map(([name, tensor]) => [name, ortTensor(tensor)]));
  return () => session.run(feeds);
}

function ortTensor(tensor: RawTensor): Tensor {
  if (tensor.dtype === 'string') throw new Error('the models of this benchmark have inputs of numbers');
  return new Tensor(tensor.dtype, typedView(tensor) as never, tensor.shape);
}

async function measure(job: Job): Promise<Measured> {
  const inputs = inputsOf(job.model, requestOf(job.model.file));
  const timed = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
    const before = process.cpuUsage();
    const result = await work();
    const { user, system } = process.cpuUsage(before);
    return [result, (user + system) / 1000];
  };
  const [run, loadMs] = await timed(() => open(job, inputs));
  const [, firstMs] = await timed(run);
  const times: number[] = [];
  for (let index = 0; index < job.runs; index++) times.push((await timed(run))[1]);
  const warmMs = times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
  return { loadMs, firstMs, warmMs, peakMb: peakMemoryBytes() / 1e6 };
}

void measure(JSON.parse(process.argv[2]) as Job).then((measured) => {
  fs.writeFileSync(process.argv[3], JSON.stringify(measured));
});
