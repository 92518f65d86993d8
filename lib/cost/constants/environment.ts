/** Speeds and delays of AWS and of a slice's function, each with its source and date. A file can replace any of them. */
import type { Constant, Pairs, ValuesOf } from './constant';
import { from, valuesOf } from './constant';

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
const prototype = from(
  'measured here',
  '2026-11',
  'a prototype with a transformer of 1.3 GB in eight slices, two EPYC cores',
);
const managed = from('documented', '2026-11', 'https://docs.aws.amazon.com/lambda/latest/dg/');
const sageMaker = from(
  'documented',
  '2026-11',
  'https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html',
);
const believed = (why: string) => from('believed', '2026-11', why);

export const ENVIRONMENT = {
  lambda: {
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
    placementMs: believed('the local cloud assumes the same')(200, 'ms'),
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
  },
  network: {
    /** What a sandbox may send or receive at the higher rate. */
    burst: skyriseNetwork(300, 'MiB'),
    burstRate: skyriseNetwork(1228.8, 'MiB/s'),
    sustainedRate: skyriseNetwork(75, 'MiB/s'),
    /** Average of ten seconds of 64 functions at once. */
    vpcRate: skyriseNetwork(82, 'MiB/s'),
    /** Processor time of a transfer without TLS. */
    cpu: bench(3.2, 'ms/MB'),
    /** Processor time with TLS, relative to that without. */
    tls: bench(1.29, 'ratio'),
  },
  s3: {
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
  },
  stepFunctions: {
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
    express: believed('no published percentiles found; the local cloud assumes 15 ms')(
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
  },
  handler: {
    /** Processor time of one call in Lambda's runtime client. */
    callCpuMs: prototype(0.9, 'ms'),
    /** Processor time of one request to S3 without its bytes. */
    requestCpuMs: bench(2.4, 'ms'),
    checksum: bench(0.15, 'ms/MB'),
    /** Processor time of a warm-up that finds the slice loaded. */
    warmUpCpuMs: bench(7, 'ms'),
    /** Processor time of creating a session without prepacking. */
    sessionCpuMs: prototype(20, 'ms'),
    sessionCpu: prototype(0.045, 'ms/MB'),
    /** Page faults of a session's first run, for each MB of files. */
    firstRun: prototype(0.115, 'ms/MB'),
    connections: bench(6, 'count'),
    partMb: bench(16, 'MiB'),
  },
  processor: {
    /**
     * Speed of one vCPU of Lambda relative to one core of the machine that a profile, an estimate of work, or a processor time in
     * this table refers to.
     */
    lambdaSpeed: believed('functions share processors of 2.5 to 3 GHz; never measured by this project')(
      0.7,
      'ratio',
    ),
    /** Speed of an arm64 vCPU of Lambda relative to an x86 one. */
    armSpeed: believed('depends on the operators')(1, 'ratio'),
    /** Share of a slice's work that one thread does alone. */
    serialShare: believed('two threads halve a transformer on two processors; more were never measured')(
      0.05,
      'share',
    ),
  },
  managedInstances: {
    maxMemoryMb: managed(32_768, 'MB'),
    instances: managed(3, 'count'),
    maxVcpus: managed(16, 'count'),
    /** Memory of the instance. Its GPU has more. */
    gpuMemoryMb: believed('a g6.xlarge has 16 GB of memory, and its GPU has 24 GB')(16_384, 'MB'),
    /** Share of its time for which an instance is busy: Lambda scales so that requests may double within five minutes. */
    utilization: from(
      'documented',
      '2026-11',
      'https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-scaling.html',
    )(0.5, 'ratio'),
    /** Speed of the GPU relative to one vCPU. */
    gpuSpeed: believed('depends on the model')(50, 'ratio'),
  },
  sageMaker: {
    maxMemoryMb: sageMaker(6144, 'MB'),
    maxPayloadMb: sageMaker(4, 'MB'),
    maxSeconds: sageMaker(60, 's'),
    coldStartMs: believed('reports of 5 to 10 s for small models')(6000, 'ms'),
    /** Memory that comes with one vCPU. */
    mbPerVcpu: believed('as of Lambda functions; AWS says only that it is proportional')(1769, 'MB/vCPU'),
  },
  alwaysOn: {
    /** Share of their time for which always-on processors may be busy. */
    utilization: believed('above it, requests wait for each other')(0.6, 'ratio'),
    /** Way through a load balancer and back. */
    balancerMs: believed('no published percentiles found')(
      [
        [50, 5],
        [95, 15],
      ],
      'ms by percent',
    ),
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Constant<number> | Constant<Pairs>>>>>;

/** Speeds and delays by group and name. */
export type Environment = ValuesOf<typeof ENVIRONMENT>;

export const DEFAULT_ENVIRONMENT: Environment = valuesOf(ENVIRONMENT);
