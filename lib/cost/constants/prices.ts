/** List prices of us-east-1, each with its source and date. A file can replace any of them. */
import { type NamesOf, type TableOf, type Values, valuesOf } from './constant';
import prices from './prices.json';

/** Prices by group and name, in US dollars. */
export interface Prices {
  readonly lambda: Values<
    | 'x86GbSecond'
    | 'armGbSecond'
    | 'requests'
    | 'tmpGbSecond'
    | 'snapStartCacheGbSecond'
    | 'snapStartRestoreGb'
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
  readonly fargate: Values<'x86Vcpu' | 'x86Memory' | 'armVcpu' | 'armMemory' | 'loadBalancer'>;
  readonly sageMaker: Values<'gbSecond' | 'data'>;
  readonly managedInstances: Values<'x86Vcpu' | 'armVcpu' | 'gpuInstance' | 'fee'>;
  readonly microVms: Values<'vcpuSecond' | 'gbSecond' | 'snapshotRead' | 'snapshotWrite' | 'snapshotStorage'>;
  readonly ecr: Values<'storage'>;
}

// Types of JSON are wider than those of constants. The names are declared above, so that no declaration of types needs the file.
export const PRICES: TableOf<Prices> = prices satisfies NamesOf<Prices> as unknown as TableOf<Prices>;

export const DEFAULT_PRICES: Prices = valuesOf(PRICES);
