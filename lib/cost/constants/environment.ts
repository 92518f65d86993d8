/** Speeds and delays of AWS and of a slice's function, each with its source and date. A file can replace any of them. */
import { type NamesOf, type TableOf, type Values, valuesOf } from './constant';
import environment from './environment.json';

/** Speeds and delays by group and name. */
export interface Environment {
  readonly lambda: Values<
    | 'mbPerVcpu'
    | 'minMemoryMb'
    | 'maxMemoryMb'
    | 'maxTmpMb'
    | 'freeTmpMb'
    | 'maxSeconds'
    | 'maxPayloadMb'
    | 'maxZipMb'
    | 'maxImageMb'
    | 'placementMs'
    | 'x86InitMs'
    | 'armInitMs'
    | 'x86ImageInitMs'
    | 'armImageInitMs'
    | 'runtimeLoadMs'
    | 'imageReads'
    | 'keepAliveSeconds',
    'visibleVcpus' | 'restoreMs' | 'invokeMs'
  >;
  readonly network: Values<'burst' | 'refill' | 'burstRate' | 'sustainedRate' | 'vpcRate' | 'cpu' | 'tls'>;
  readonly s3: Values<
    | 'standardFirstGetMs'
    | 'standardFirstPutMs'
    | 'expressFirstGetMs'
    | 'expressFirstPutMs'
    | 'connectionRate',
    'standardGet' | 'standardPut' | 'expressGet' | 'expressPut'
  >;
  readonly stepFunctions: Values<
    'eventBytes' | 'startAndEnd' | 'expressMemoryMb',
    'standard32B' | 'standard1KiB' | 'standard16KiB' | 'standard64KiB' | 'standard256KiB' | 'express'
  >;
  readonly handler: Values<
    | 'callCpuMs'
    | 'requestCpuMs'
    | 'checksum'
    | 'warmUpCpuMs'
    | 'sessionCpuMs'
    | 'sessionCpu'
    | 'firstRun'
    | 'connections'
    | 'partMb'
  >;
  readonly processor: Values<'lambdaSpeed' | 'armSpeed' | 'serialShare'>;
  readonly managedInstances: Values<
    'maxMemoryMb' | 'instances' | 'maxVcpus' | 'gpuMemoryMb' | 'utilization' | 'gpuSpeed'
  >;
  readonly sageMaker: Values<'maxMemoryMb' | 'maxPayloadMb' | 'maxSeconds' | 'coldStartMs' | 'mbPerVcpu'>;
  readonly microVms: Values<'peak' | 'mbPerVcpu' | 'resumeMs' | 'snapshotReads' | 'endpointRate'>;
  readonly alwaysOn: Values<'utilization', 'balancerMs'>;
}

// Types of JSON are wider than those of constants. The names are declared above, so that no declaration of types needs the file.
export const ENVIRONMENT: TableOf<Environment> =
  environment satisfies NamesOf<Environment> as unknown as TableOf<Environment>;

export const DEFAULT_ENVIRONMENT: Environment = valuesOf(ENVIRONMENT);
