/** List prices of us-east-1, and speeds and delays of AWS and of a slice's function, each with its source and date. A file can replace any of them. */
import { type NamesOf, type Spreads, type TableOf, type Values, spreadsOf, valuesOf } from './constant';
import prices from './prices.json';
import environment from './environment.json';

export interface Prices {
  readonly lambda: Values<
    'x86GbSecond' | 'armGbSecond' | 'requests' | 'tmpGbSecond' | 'snapStartCache' | 'snapStartRestore'
  >;
  readonly s3: Values<
    | 'standardPuts'
    | 'standardGets'
    | 'standardStorage'
    | 'expressPuts'
    | 'expressGets'
    | 'expressUploads'
    | 'expressDownloads'
    | 'expressStorage'
  >;
  readonly stepFunctions: Values<'standardTransitions' | 'expressExecutions' | 'expressGbSecond'>;
  readonly cloudWatch: Values<'logs'>;
  readonly fargate: Values<'x86Vcpu' | 'x86Memory' | 'armVcpu' | 'armMemory' | 'loadBalancer'>;
  readonly microVms: Values<'vcpu' | 'memory'>;
  readonly instances: Values<'general' | 'gpu'>;
  readonly sageMaker: Values<'serverlessGbSecond' | 'asynchronousHour'>;
}

// Types of JSON are wider than those of constants. The names are declared above, so that no declaration of types needs the file.
export const PRICES: TableOf<Prices> = prices satisfies NamesOf<Prices> as unknown as TableOf<Prices>;

export const DEFAULT_PRICES: Prices = valuesOf(PRICES);

interface EnvironmentValues {
  readonly lambda: Values<
    | 'mbPerVcpu'
    | 'minMemoryMb'
    | 'maxMemoryMb'
    | 'maxTmpMb'
    | 'freeTmpMb'
    | 'maxSeconds'
    | 'maxPayloadMb'
    | 'placementMs'
    | 'x86InitMs'
    | 'armInitMs'
    | 'runtimeLoadMs'
    | 'keepAliveSeconds',
    'visibleVcpus' | 'invokeMs'
  >;
  readonly network: Values<'burst' | 'refill' | 'burstRate' | 'sustainedRate' | 'vpcRate' | 'cpu'>;
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
    | 'sessionCpuMs'
    | 'prepackCpu'
    | 'sessionCpu'
    | 'firstRun'
    | 'firstTouch'
    | 'connections'
    | 'partMb'
  >;
  readonly processor: Values<
    'computing' | 'armFloat32' | 'armInt8' | 'armFourBits' | 'armFloat16' | 'serialShare'
  >;
  readonly logs: Values<'callBytes' | 'lineBytes' | 'warmUpBytes' | 'startBytes'>;
  readonly alwaysOn: Values<'utilization', 'balancerMs'>;
  readonly batch: Values<'startMs' | 'rowBytes' | 'tableCpu'>;
}

// Types of JSON are wider than those of constants. The names are declared above, so that no declaration of types needs the file.
export const ENVIRONMENT: TableOf<EnvironmentValues> =
  environment satisfies NamesOf<EnvironmentValues> as unknown as TableOf<EnvironmentValues>;

export interface Environment extends EnvironmentValues {
  readonly spreads: Spreads;
}

export const DEFAULT_ENVIRONMENT: Environment = environmentOf(ENVIRONMENT);

export function environmentOf(table: typeof ENVIRONMENT): Environment {
  return { ...valuesOf(table), spreads: spreadsOf(table) };
}
