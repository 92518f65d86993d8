/** List prices of us-east-1, each with its source and date. A file of the user can replace any of them. */
import type { Constant, Pairs, ValuesOf } from './constant';
import { from, valuesOf } from './constant';

const lambda = from('documented', '2026-09', 'https://aws.amazon.com/lambda/pricing/');
const s3 = from('documented', '2026-09', 'https://aws.amazon.com/s3/pricing/');
const stepFunctions = from('documented', '2026-09', 'https://aws.amazon.com/step-functions/pricing/');
const fargate = from('documented', '2026-09', 'https://aws.amazon.com/fargate/pricing/');
const sageMaker = from('documented', '2026-09', 'https://aws.amazon.com/sagemaker/ai/pricing/');
const microVms = from(
  'believed',
  '2026-08',
  'https://aws.amazon.com/lambda/pricing/ as several public reports quote it for Lambda MicroVMs',
);

/** Prices that were remembered and not read again for this table. The link says where to check them. */
const remembered = (link: string) => from('believed', '2026-11', link);
const lambdaTmp = remembered('https://aws.amazon.com/lambda/pricing/');
const s3Storage = remembered('https://aws.amazon.com/s3/pricing/');
const balancer = remembered('https://aws.amazon.com/elasticloadbalancing/pricing/');
const sageMakerData = remembered('https://aws.amazon.com/sagemaker/ai/pricing/');
const ecr = remembered('https://aws.amazon.com/ecr/pricing/');
const ec2 = remembered('https://aws.amazon.com/ec2/pricing/on-demand/');

export const PRICES = {
  lambda: {
    x86GbSecond: lambda(0.000_016_666_7, 'USD/GB-s'),
    armGbSecond: lambda(0.000_013_333_4, 'USD/GB-s'),
    requests: lambda(0.2, 'USD/million'),
    /** `/tmp` above `environment.lambda.freeTmpMb`. */
    tmpGbSecond: lambdaTmp(0.000_000_030_9, 'USD/GB-s'),
    /** Of the function's memory, for as long as a version exists. */
    snapStartCacheGbSecond: lambda(0.000_001_504_6, 'USD/GB-s'),
    /** Of the function's memory, for each restored sandbox. */
    snapStartRestoreGb: lambda(0.000_139_799_8, 'USD/GB'),
  },
  s3: {
    standardPuts: s3(5, 'USD/million'),
    standardGets: s3(0.4, 'USD/million'),
    standardStorage: s3Storage(0.023, 'USD/GB-month'),
    expressPuts: s3(1.13, 'USD/million'),
    expressGets: s3(0.03, 'USD/million'),
    expressUploads: s3(0.0032, 'USD/GB'),
    expressDownloads: s3(0.0006, 'USD/GB'),
    expressStorage: s3(0.11, 'USD/GB-month'),
  },
  stepFunctions: {
    standardTransitions: stepFunctions(25, 'USD/million'),
    expressExecutions: stepFunctions(1, 'USD/million'),
    expressGbSecond: stepFunctions(0.000_016_67, 'USD/GB-s'),
  },
  fargate: {
    x86Vcpu: fargate(0.040_48, 'USD/vCPU-h'),
    x86Memory: fargate(0.004_445, 'USD/GB-h'),
    armVcpu: fargate(0.032_38, 'USD/vCPU-h'),
    armMemory: fargate(0.003_56, 'USD/GB-h'),
    /** An Application Load Balancer, without its capacity units. */
    loadBalancer: balancer(0.0225, 'USD/h'),
  },
  sageMaker: {
    gbSecond: sageMaker(0.000_02, 'USD/GB-s'),
    /** Bytes of requests and responses. */
    data: sageMakerData(0.016, 'USD/GB'),
  },
  managedInstances: {
    /** EC2's price of an instance with 4 GB for each vCPU (m7i, m7g). */
    x86Vcpu: ec2(0.0504, 'USD/vCPU-h'),
    armVcpu: ec2(0.0408, 'USD/vCPU-h'),
    /** EC2's price of a g6.xlarge: 4 vCPUs, 16 GB, one GPU. */
    gpuInstance: ec2(0.8048, 'USD/h'),
    /** What Lambda adds to EC2's price. */
    fee: lambda(0.15, 'share'),
  },
  microVms: {
    /** Of arm64, which all machines are. */
    vcpuSecond: microVms(0.000_027_694_4, 'USD/vCPU-s'),
    gbSecond: microVms(0.000_003_666_7, 'USD/GB-s'),
    snapshotRead: microVms(0.001_55, 'USD/GB'),
    snapshotWrite: microVms(0.0038, 'USD/GB'),
    snapshotStorage: microVms(0.08, 'USD/GB-month'),
  },
  ecr: {
    storage: ecr(0.1, 'USD/GB-month'),
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Constant<number> | Constant<Pairs>>>>>;

/** Prices by group and name, in US dollars. */
export type Prices = ValuesOf<typeof PRICES>;

export const DEFAULT_PRICES: Prices = valuesOf(PRICES);
