/** How fast bytes and events pass: the network of a function, S3, and Step Functions. Each constant has its source and date. */
import type { ConstantGroup } from './constant';
import { from } from './constant';

const skyriseNetwork = from(
  'measured elsewhere',
  '2025-03',
  'https://github.com/hpides/skyrise (resources/benchmark/measurement/network_throughput/lambda)',
);
const skyriseStorage = from(
  'measured elsewhere',
  '2024-04',
  'https://github.com/hpides/skyrise (resources/benchmark/measurement/storage_latency, 1 KiB)',
);
const s3Guide = from(
  'documented',
  '2026-11',
  'https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-design-patterns.html',
);
const sebsFlow = from(
  'measured elsewhere',
  '2024-05',
  'https://github.com/spcl/sebs-flow-artifact (perf-cost/620.func-invo, functions of 256 MB; believed to be Standard)',
);
const bench = from('measured here', '2026-11', 'docs/performance.md (npm run bench:runtime)');
const believed = (why: string) => from('believed', '2026-11', why);

export const NETWORK = {
  /** What a sandbox may send or receive at the higher rate. */
  burst: skyriseNetwork(300, 'MiB'),
  /** The share of the burst up to which it refills, at the sustained rate. */
  refill: skyriseNetwork(0.5, 'share'),
  burstRate: skyriseNetwork(1228.8, 'MiB/s'),
  sustainedRate: skyriseNetwork(75, 'MiB/s'),
  /** Average of ten seconds of 64 functions at once. */
  vpcRate: skyriseNetwork(82, 'MiB/s'),
  /** Processor time of a transfer without TLS. */
  cpu: bench(3.2, 'ms/MB'),
  /** Processor time with TLS, relative to that without. */
  tls: bench(1.29, 'ratio'),
} as const satisfies ConstantGroup;

export const S3 = {
  standardGet: skyriseStorage(
    [
      [5, 15],
      [50, 27],
      [90, 59],
      [95, 74],
      [99, 106],
      [99.9, 178],
    ],
    'ms by percent',
  ),
  standardPut: skyriseStorage(
    [
      [5, 24],
      [50, 40],
      [90, 75],
      [95, 90],
      [99, 123],
      [99.9, 205],
    ],
    'ms by percent',
  ),
  expressGet: skyriseStorage(
    [
      [5, 4.3],
      [50, 4.8],
      [90, 5.3],
      [95, 5.5],
      [99, 7.1],
      [99.9, 46],
    ],
    'ms by percent',
  ),
  expressPut: skyriseStorage(
    [
      [5, 6.6],
      [50, 7.4],
      [90, 8.3],
      [95, 9.6],
      [99, 12.5],
      [99.9, 48],
    ],
    'ms by percent',
  ),
  /** Medians of the first request of an invocation, which opens a connection. */
  standardFirstGetMs: skyriseStorage(68, 'ms'),
  standardFirstPutMs: skyriseStorage(85, 'ms'),
  expressFirstGetMs: skyriseStorage(52, 'ms'),
  expressFirstPutMs: skyriseStorage(56, 'ms'),
  connectionRate: s3Guide(87, 'MB/s'),
} as const satisfies ConstantGroup;

export const STEP_FUNCTIONS = {
  /** From the end of one handler to the start of the next, by the bytes of the payload. */
  standard32B: sebsFlow(
    [
      [5, 107],
      [50, 159],
      [90, 211],
      [99, 295],
    ],
    'ms by percent',
  ),
  standard1KiB: sebsFlow(
    [
      [5, 111],
      [50, 160],
      [90, 211],
      [99, 323],
    ],
    'ms by percent',
  ),
  standard16KiB: sebsFlow(
    [
      [5, 134],
      [50, 194],
      [90, 244],
      [99, 278],
    ],
    'ms by percent',
  ),
  standard64KiB: sebsFlow(
    [
      [5, 187],
      [50, 238],
      [90, 300],
      [99, 383],
    ],
    'ms by percent',
  ),
  standard256KiB: sebsFlow(
    [
      [5, 362],
      [50, 425],
      [90, 490],
      [99, 545],
    ],
    'ms by percent',
  ),
  express: believed('no published percentiles found')(
    [
      [5, 10],
      [50, 20],
      [90, 40],
      [99, 90],
    ],
    'ms by percent',
  ),
  /** Payload between two states: keys of objects and timings. */
  eventBytes: believed('events name objects in S3 and hold no tensors')(1024, 'bytes'),
  /** Transitions that AWS charges for the start and the end of a Standard execution. */
  startAndEnd: believed('no source says whether AWS charges them')(2, 'count'),
  expressMemoryMb: believed('the smallest unit that AWS bills')(64, 'MB'),
} as const satisfies ConstantGroup;
