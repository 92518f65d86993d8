/**
 * Names the class of the processor. On two processors of one class, ONNX Runtime chooses the same kernels, so the same model returns the
 * same bits. It chooses them by these features:
 * https://github.com/microsoft/onnxruntime/blob/v1.30.0/onnxruntime/core/mlas/lib/platform.cpp
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { peakMemoryBytes } from './telemetry';

interface Feature {
  readonly name: string;
  /** In `/proc/cpuinfo`. The processor must have all of them. */
  readonly flags: readonly string[];
}

const FMA = ['avx2', 'fma'];

/** The first that fits has the kernels of all others. */
const X86_LEVELS: readonly (Feature & { readonly vnni?: string })[] = [
  { name: 'AVX-512', flags: [...FMA, 'avx512f', 'avx512bw', 'avx512dq', 'avx512vl'], vnni: 'avx512_vnni' },
  { name: 'AVX-512F', flags: [...FMA, 'avx512f'], vnni: 'avx_vnni' },
  { name: 'AVX2', flags: FMA, vnni: 'avx_vnni' },
  { name: 'AVX', flags: ['avx'] },
  { name: 'SSE2', flags: ['sse2'] },
];

const X86_FEATURES: readonly Feature[] = [
  { name: 'VNNI-INT8', flags: ['avx_vnni_int8'] },
  { name: 'AMX', flags: ['amx_tile', 'amx_int8'] },
];

/** By implementer and part: the cores of Graviton, and their relatives. Their vectors of SVE have different lengths. */
const ARM_CORES: Partial<Record<string, string>> = {
  '0x41/0xd0c': 'Neoverse-N1',
  '0x41/0xd49': 'Neoverse-N2',
  '0x41/0xd40': 'Neoverse-V1',
  '0x41/0xd4f': 'Neoverse-V2',
  '0x41/0xd84': 'Neoverse-V3',
};

/** A hypervisor may hide some. Cores with `i8mm` have `dotprod` too. */
const ARM_FEATURES: readonly Feature[] = [
  { name: 'SVE', flags: ['sve'] },
  { name: 'i8mm', flags: ['i8mm'] },
  { name: 'dotprod', flags: ['asimddp'] },
  { name: 'SME', flags: ['sme'] },
];

/**
 * The class, such as `x86_64 AVX2` or `arm64 Neoverse-V1 SVE i8mm`. Without a known feature, as on macOS and Windows, it is the architecture.
 * @param cpuinfo the text of `/proc/cpuinfo`, of which the first processor counts: those of a function are equal
 * @param arch `process.arch`
 */
export function processorClassOf(cpuinfo: string, arch: string): string {
  const names = arch === 'arm64' ? armNames(cpuinfo) : arch === 'x64' ? x86Names(cpuinfo) : [];
  return [arch === 'x64' ? 'x86_64' : arch, ...names].join(' ');
}

function x86Names(cpuinfo: string): string[] {
  const flags = flagsOf('flags', cpuinfo);
  const level = X86_LEVELS.find((each) => has(flags, each));
  if (level === undefined) return [];
  const vnni = level.vnni !== undefined && flags.has(level.vnni) ? ['VNNI'] : [];
  return [level.name, ...vnni, ...namesOf(X86_FEATURES, flags)];
}

function armNames(cpuinfo: string): string[] {
  const [implementer, part] = ['CPU implementer', 'CPU part'].map((field) => fieldOf(field, cpuinfo));
  // Anything else would end in logs and results.
  const core = [implementer, part].every((id) => /^0x[0-9a-f]{1,4}$/.test(id))
    ? `${implementer}/${part}`
    : '';
  const names = namesOf(ARM_FEATURES, flagsOf('Features', cpuinfo));
  const own = names.filter((name) => name !== 'dotprod' || !names.includes('i8mm'));
  return core === '' ? own : [ARM_CORES[core] ?? core, ...own];
}

function fieldOf(name: string, cpuinfo: string): string {
  const line = cpuinfo.split('\n').find((each) => each.split(':', 1)[0].trimEnd() === name) ?? '';
  return line.slice(line.indexOf(':') + 1).trim();
}

function flagsOf(name: string, cpuinfo: string): Set<string> {
  return new Set(fieldOf(name, cpuinfo).split(/\s+/));
}

function namesOf(features: readonly Feature[], flags: ReadonlySet<string>): string[] {
  return features.filter((feature) => has(flags, feature)).map(({ name }) => name);
}

function has(flags: ReadonlySet<string>, feature: Feature): boolean {
  return feature.flags.every((flag) => flags.has(flag));
}

let known: string | undefined;

/** The class of this process's processor, found out once. */
export function processorClass(): string {
  return (known ??= processorClassOf(readCpuinfo(), process.arch));
}

/** The lines of one processor have 2 KB. */
const MOST_BYTES = 16 * 1024;

/** Empty without such a file: no call may fail because of it. */
function readCpuinfo(): string {
  try {
    const file = openSync('/proc/cpuinfo', 'r');
    const buffer = Buffer.alloc(MOST_BYTES);
    try {
      return buffer.toString('latin1', 0, readSync(file, buffer));
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}

/** Lambda's MB. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const MEGABYTE = 2 ** 20;

/** What the measurements of a call say about its process. */
export function processOf(memoryBytes: number) {
  return {
    ...{ peakMemoryBytes: peakMemoryBytes(), memoryMb: memoryBytes / MEGABYTE },
    processor: processorClass(),
  };
}
