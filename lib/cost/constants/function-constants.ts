/** What a slice's function takes: its handler and its processor. Each constant has its source and date. */
import type { ConstantGroup } from './constant';
import { from } from './constant';

const bench = from('measured here', '2026-11', 'docs/performance.md (npm run bench:runtime)');
const prototype = from(
  'measured here',
  '2026-11',
  'a prototype with a transformer of 1.3 GB in eight slices, two EPYC cores',
);
const believed = (why: string) => from('believed', '2026-11', why);

export const HANDLER = {
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
} as const satisfies ConstantGroup;

export const PROCESSOR = {
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
} as const satisfies ConstantGroup;
