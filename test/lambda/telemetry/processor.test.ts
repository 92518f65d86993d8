import { readFileSync } from 'node:fs';
import { processorClass, processorClassOf } from '../../../lambda/telemetry/processor';

/** The fields of `/proc/cpuinfo` around those that count. Lambda lists each of its processors once. */
const x86 = (model: string, flags: string) =>
  [0, 1]
    .map((index) =>
      [
        `processor\t: ${index}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 63`,
        `model name\t: ${model}\nstepping\t: 2\nfpu\t\t: yes\nflags\t\t: ${flags}`,
        'bugs\t\t: cpu_meltdown spectre_v1\nbogomips\t: 4988.27\npower management:\n',
      ].join('\n'),
    )
    .join('\n');

const arm = (implementer: string, part: string, features: string) =>
  [0, 1]
    .map((index) =>
      [
        `processor\t: ${index}\nBogoMIPS\t: 2100.00\nFeatures\t: ${features}`,
        `CPU implementer\t: ${implementer}\nCPU architecture: 8\nCPU variant\t: 0x1\nCPU part\t: ${part}\nCPU revision\t: 1\n`,
      ].join('\n'),
    )
    .join('\n');

const AVX2 =
  'fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ss ht syscall nx pdpe1gb rdtscp lm constant_tsc rep_good nopl xtopology nonstop_tsc cpuid tsc_known_freq pni pclmulqdq ssse3 fma cx16 pcid sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave avx f16c rdrand hypervisor lahf_lm abm invpcid_single pti fsgsbase tsc_adjust bmi1 avx2 smep bmi2 erms invpcid xsaveopt';
const AVX512 = `${AVX2} avx512f avx512dq adx smap clflushopt clwb avx512cd avx512bw avx512vl xsavec xgetbv1`;
const ZEN5 = `${AVX512} avx512ifma sha_ni avx_vnni avx512_bf16 avx512vbmi umip avx512_vbmi2 gfni vaes vpclmulqdq avx512_vnni avx512_bitalg`;
const SAPPHIRE = `${AVX512} avx_vnni avx512_bf16 avx512_vnni amx_bf16 avx512_fp16 amx_tile amx_int8`;

const N1 =
  'fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp ssbs';
const V1 =
  'fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm jscvt fcma lrcpc dcpop sha3 sm3 sm4 asimddp sha512 sve asimdfhm dit uscat ilrcpc flagm ssbs paca pacg dcpodp svei8mm svebf16 i8mm bf16 dgh rng';
const V2 = `${V1} sve2 sveaes svepmull svebitperm svesha3 flagm2 frint bti`;

it.each([
  ['Xeon of Lambda', 'x64', x86('Intel(R) Xeon(R) Processor @ 2.50GHz', AVX2), 'x86_64 AVX2'],
  ['EPYC of Lambda', 'x64', x86('AMD EPYC', AVX2), 'x86_64 AVX2'],
  ['Skylake', 'x64', x86('Intel(R) Xeon(R) Platinum 8175M CPU @ 2.50GHz', AVX512), 'x86_64 AVX-512'],
  ['Zen 5', 'x64', x86('AMD EPYC', ZEN5), 'x86_64 AVX-512 VNNI'],
  ['Sapphire Rapids', 'x64', x86('Intel(R) Xeon(R) Platinum 8488C', SAPPHIRE), 'x86_64 AVX-512 VNNI AMX'],
  [
    'Sierra Forest',
    'x64',
    x86('Intel(R) Xeon(R) 6746E', `${AVX2} avx_vnni avx_vnni_int8`),
    'x86_64 AVX2 VNNI VNNI-INT8',
  ],
  ['Knights Landing', 'x64', x86('Intel(R) Xeon Phi(TM)', `${AVX2} avx512f avx512cd`), 'x86_64 AVX-512F'],
  ['Sandy Bridge', 'x64', x86('Intel(R) Xeon(R) E5-2670', 'sse2 avx'), 'x86_64 AVX'],
  ['an emulator', 'x64', x86('QEMU Virtual CPU', 'fpu sse sse2'), 'x86_64 SSE2'],
  ['Graviton2', 'arm64', arm('0x41', '0xd0c', N1), 'arm64 Neoverse-N1 dotprod'],
  ['Graviton3', 'arm64', arm('0x41', '0xd40', V1), 'arm64 Neoverse-V1 SVE i8mm'],
  ['Graviton4', 'arm64', arm('0x41', '0xd4f', V2), 'arm64 Neoverse-V2 SVE i8mm'],
  ['Graviton5', 'arm64', arm('0x41', '0xd84', V2), 'arm64 Neoverse-V3 SVE i8mm'],
  ['hidden SVE', 'arm64', arm('0x41', '0xd40', 'asimd asimddp i8mm'), 'arm64 Neoverse-V1 i8mm'],
  ['an unknown core', 'arm64', arm('0x61', '0x032', `${V2} sme sme2`), 'arm64 0x61/0x032 SVE i8mm SME'],
  ['macOS', 'arm64', '', 'arm64'],
  ['Windows', 'x64', '', 'x86_64'],
  ['another architecture', 'riscv64', x86('x', AVX2), 'riscv64'],
])('the processor %s has a class', (_, arch, cpuinfo, expected) => {
  expect(processorClassOf(cpuinfo, arch)).toBe(expected);
});

it.each([
  ['of another architecture', 'x64', arm('0x41', '0xd40', V1), 'x86_64'],
  ['with a core that is no number', 'arm64', arm('0x41"\u001b[2J', '0xd40', V1), 'arm64 SVE i8mm'],
  ['with a long number', 'arm64', arm('0x41', `0x${'d'.repeat(9999)}`, V1), 'arm64 SVE i8mm'],
  ['with a core named as a member of objects', 'arm64', arm('constructor', '', ''), 'arm64'],
  ['with words that contain flags', 'x64', x86('x', 'xavx2 fmax avx512 sse2x'), 'x86_64'],
  ['with flags in the name of the model', 'x64', x86('x flags : avx2 fma', 'sse2'), 'x86_64 SSE2'],
  ['that ends in the flags', 'x64', 'flags : fma avx2 avx51', 'x86_64 AVX2'],
  ['of zeros', 'arm64', '\0'.repeat(16_384), 'arm64'],
  ['of blanks', 'arm64', `Features${' '.repeat(16_384)}`, 'arm64'],
])('a text %s does no harm', (_, arch, cpuinfo, expected) => {
  expect(processorClassOf(cpuinfo, arch)).toBe(expected);
});

it('the processor of this machine has the class that its text has, if it has one', () => {
  const cpuinfo = process.platform === 'linux' ? readFileSync('/proc/cpuinfo', 'latin1') : '';
  expect(processorClass()).toBe(processorClassOf(cpuinfo, process.arch));
});
