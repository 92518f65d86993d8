/** Services that could run the whole model instead. Each constant has its source and date. */
import type { ConstantGroup } from './constant';
import { from } from './constant';

const managed = from('documented', '2026-11', 'https://docs.aws.amazon.com/lambda/latest/dg/');
const sageMaker = from(
  'documented',
  '2026-11',
  'https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html',
);
const microVmSizes = from(
  'believed',
  '2026-11',
  'https://docs.aws.amazon.com/lambda/latest/dg/microvms-images.html as public reports quote it',
);
const reported = (what: string) =>
  from('measured elsewhere', '2026-11', `public reports on Lambda MicroVMs: ${what}`);
const believed = (why: string) => from('believed', '2026-11', why);

export const MANAGED_INSTANCES = {
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
} as const satisfies ConstantGroup;

export const SAGE_MAKER = {
  maxMemoryMb: sageMaker(6144, 'MB'),
  maxPayloadMb: sageMaker(4, 'MB'),
  maxSeconds: sageMaker(60, 's'),
  coldStartMs: believed('reports of 5 to 10 s for small models')(6000, 'ms'),
  /** Memory that comes with one vCPU. */
  mbPerVcpu: believed('as of Lambda functions; AWS says only that it is proportional')(1769, 'MB/vCPU'),
} as const satisfies ConstantGroup;

export const MICRO_VMS = {
  /** Memory and vCPUs of a machine, for each GB and half vCPU of its baseline, which is charged while it runs. */
  peak: microVmSizes(4, 'ratio'),
  /** Of the memory of the baseline. */
  mbPerVcpu: microVmSizes(2048, 'MB/vCPU'),
  /** From a request to a suspended machine to the end of its resume. */
  resumeMs: reported('a resume from a snapshot of 0.61 GB in 0.7 s')(700, 'ms'),
  /** How fast larger snapshots are read. */
  snapshotReads: believed('as fast as the reported resume; larger ones were not reported')(870, 'MB/s'),
  /** Through the endpoint, for each GB of the baseline. */
  endpointRate: reported('1 to 16 MB/s by size')(2, 'MB/s'),
} as const satisfies ConstantGroup;

export const ALWAYS_ON = {
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
} as const satisfies ConstantGroup;
