/** What Lambda gives to functions: quotas, processors, and the time until a function runs. Each constant has its source and date. */
import type { ConstantGroup } from './constant';
import { from } from './constant';

const lambdaQuotas = from(
  'documented',
  '2026-11',
  'https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html',
);
const lambdaMemory = from(
  'documented',
  '2026-11',
  'https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html',
);
const snapStart = from(
  'measured elsewhere',
  '2026-11',
  'public reports on SnapStart of Node.js, restores of 0.44 to 0.74 s',
);
const initTimes = from(
  'measured elsewhere',
  '2026-08',
  'https://github.com/maxday/lambda-perf (data/last.json, Node.js 24, means of 128 to 1,024 MB)',
);
const keepAlive = from(
  'believed',
  '2026-11',
  '5 to 7 minutes, as https://mikhail.io/serverless/coldstarts/aws/intervals/ reported; not read again',
);
const believed = (why: string) => from('believed', '2026-11', why);

export const LAMBDA = {
  mbPerVcpu: lambdaMemory(1769, 'MB/vCPU'),
  /** By the largest memory: the vCPUs that a function sees. */
  visibleVcpus: from(
    'documented',
    '2026-11',
    'https://docs.aws.amazon.com/lambda/latest/dg/',
  )(
    [
      [3008, 2],
      [5307, 3],
      [7076, 4],
      [8845, 5],
      [10_240, 6],
    ],
    'vCPU by MB',
  ),
  minMemoryMb: lambdaQuotas(128, 'MB'),
  maxMemoryMb: lambdaQuotas(10_240, 'MB'),
  maxTmpMb: lambdaQuotas(10_240, 'MB'),
  freeTmpMb: lambdaQuotas(512, 'MB'),
  maxSeconds: lambdaQuotas(900, 's'),
  maxPayloadMb: lambdaQuotas(6, 'MB'),
  maxZipMb: lambdaQuotas(250, 'MB'),
  maxImageMb: lambdaQuotas(10_240, 'MB'),
  /** From a call that finds no idle sandbox until its runtime starts. Not billed. */
  placementMs: believed('no published figure found')(200, 'ms'),
  /** Start of Node.js and of the handler, billed. The init phase has a full processor at every memory size. */
  x86InitMs: initTimes(137, 'ms'),
  armInitMs: initTimes(119, 'ms'),
  x86ImageInitMs: initTimes(291, 'ms'),
  armImageInitMs: initTimes(273, 'ms'),
  /** Loading ONNX Runtime's library during init. */
  runtimeLoadMs: believed('12 ms with its 46 MB in memory, measured here; a new sandbox reads them first')(
    150,
    'ms',
  ),
  /** How fast a sandbox reads its container image for the first time. */
  imageReads: believed('no published figure found; images load block by block')(150, 'MiB/s'),
  restoreMs: snapStart(
    [
      [50, 590],
      [95, 740],
    ],
    'ms by percent',
  ),
  /** From a caller in the same region to a warm handler, and back. */
  invokeMs: believed('no published percentiles found')(
    [
      [50, 10],
      [95, 30],
    ],
    'ms by percent',
  ),
  /** How long an idle sandbox waits for the next call. */
  keepAliveSeconds: keepAlive(360, 's'),
} as const satisfies ConstantGroup;
