/**
 * Mistakes in the code of the slice functions that the program must notice. `--mutation` builds the functions' code from changed
 * sources and puts it into the synthesized assemblies; the sources and the package stay as they are.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { build, stop } from 'esbuild';
import { packageRoot } from '../../lib/host/packages';

/** The source file, and the changes. Each text must be in the file once. */
type Mutation = readonly [file: string, ...changes: (readonly [from: string, to: string])[]];

const MUTATIONS = {
  /** Readers compare no checksums of tensors and headers. */
  'no-checksums': [
    'lambda/tensors/checksums.ts',
    ['if (got === expected) return;', 'return;'],
    ['if (expected !== got) throw', 'if (false) throw'],
  ],
  /** All runs have the same keys. */
  'constant-prefix': [
    'contract/keys.ts',
    ['${RUNS_PREFIX}${run}/', '${RUNS_PREFIX}same/run/'],
    ['${OUTPUTS_PREFIX}${run}.', '${OUTPUTS_PREFIX}same/run.'],
  ],
  /** The lowest bit of the first element changes in every tensor that ONNX Runtime returns. */
  'flipped-bit': [
    'lambda/slice/session.ts',
    ['const { type, dims: shape, data } = tensor;', '$&\n  bytesOf(data as ArrayBufferView)[0] ^= 1;'],
  ],
  /** A write replaces the object of an earlier attempt. */
  'no-precondition': ['lambda/store/s3.ts', ["{ IfNoneMatch: '*' }", '{}']],
} satisfies Readonly<Record<string, Mutation>>;

export type MutationName = keyof typeof MUTATIONS;

export const MUTATION_NAMES = Object.keys(MUTATIONS) as readonly MutationName[];

/** Replaces the code of the slice functions in the assemblies. */
export async function mutate(name: MutationName, assemblies: readonly string[]): Promise<void> {
  const [file, ...changes]: Mutation = MUTATIONS[name];
  const mutated = path.join(packageRoot(), file);
  const { outputFiles } = await build({
    // As `scripts/build.mjs` builds it.
    ...{ bundle: true, platform: 'node', target: 'node20', format: 'cjs', mainFields: ['module', 'main'] },
    external: ['onnxruntime-node'],
    entryPoints: [path.join(packageRoot(), 'lambda/handler.ts')],
    plugins: [
      {
        name: 'mutation',
        setup: (bundle) => {
          bundle.onLoad({ filter: /\.ts$/ }, ({ path: loaded }) =>
            loaded === mutated ? { contents: changed(mutated, changes), loader: 'ts' } : undefined,
          );
        },
      },
    ],
    write: false,
  });
  // Its process would count as left behind.
  await stop();
  for (const assembly of assemblies) {
    for (const entry of fs.readdirSync(assembly)) {
      const handler = path.join(assembly, entry, 'index.js');
      if (!fs.existsSync(handler)) continue;
      // A new file, because the old one may be a link to that of the package.
      fs.rmSync(handler);
      fs.writeFileSync(handler, outputFiles[0].contents);
    }
  }
}

/** @throws Error if the source no longer has the text, because a mutation that changes nothing would seem unnoticed */
function changed(file: string, changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce(
    (source, [from, to]) => {
      const found = source.split(from).length - 1;
      if (found === 1) return source.replace(from, to);
      throw new Error(`${file} must have '${from}' once, got ${found}: adapt test/faults/mutations.ts`);
    },
    fs.readFileSync(file, 'utf8'),
  );
}
