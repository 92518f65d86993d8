// A program that behaves like `node` on an x64 processor with AVX2 alone, at the speed of this machine: ONNX Runtime does not see AVX-512, VNNI
// and AMX. `node bench/processors/masked-node.mjs FOLDER` writes it to FOLDER/avx2. It needs Linux on x64, cc and objdump. `/proc/cpuinfo` stays
// as it is, so the class of processor that functions report is that of the machine.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const LIBRARY = 'node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1';
const HERE = fileURLToPath(new URL('.', import.meta.url));

const CPUID = Buffer.of(0x0f, 0xa2);
const UD2 = Buffer.of(0x0f, 0x0b);
/** The disassembly of ONNX Runtime has 300 MB. */
const MOST_OUTPUT = 2 ** 30;

const text = (command, ...args) =>
  execFileSync(command, args, { encoding: 'latin1', maxBuffer: MOST_OUTPUT });

/** Puts `ud2`, which raises a signal, in place of each `cpuid` of the library's code. */
function patch(library, target) {
  const [, address, offset] = /\.text\s+[0-9a-f]+\s+([0-9a-f]+)\s+[0-9a-f]+\s+([0-9a-f]+)/.exec(
    text('objdump', '-h', '-w', library),
  );
  const bytes = fs.readFileSync(library);
  const code = text('objdump', '-d', '--no-show-raw-insn', '-j', '.text', library);
  for (const [, found] of code.matchAll(/^\s+([0-9a-f]+):\s+cpuid\s*$/gm)) {
    const place = parseInt(found, 16) - parseInt(address, 16) + parseInt(offset, 16);
    if (!bytes.subarray(place, place + 2).equals(CPUID)) throw new Error(`no cpuid at ${found}`);
    UD2.copy(bytes, place);
  }
  fs.writeFileSync(target, bytes);
}

const folder = path.resolve(process.argv[2] ?? 'nodes');
fs.mkdirSync(folder, { recursive: true });
const [library, preload, program] = ['libonnxruntime.so.1', 'hide-avx512.so', 'avx2'].map((name) =>
  path.join(folder, name),
);
patch(path.join(HERE, '../..', LIBRARY), library);
execFileSync('cc', ['-O1', '-fPIC', '-shared', path.join(HERE, 'hide-avx512.c'), '-o', preload]);
const lines = ['#!/bin/sh', `LD_PRELOAD='${preload}:${library}' exec '${process.execPath}' "$@"`];
fs.writeFileSync(program, `${lines.join('\n')}\n`, { mode: 0o755 });
console.log(`written ${program}`);
