/**
 * Mistakes in the code of the slice functions that the program must notice. `--mutation` builds the functions' code from changed
 * sources and puts it into the synthesized assemblies; the sources and the package stay as they are.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { build, type Plugin, stop } from 'esbuild';
import { packageRoot } from '../../lib/host/package-files';

interface Mutation {
  /** The source file, by its path in the repository. */
  readonly file: string;
  /** Each text must be in the file once. */
  readonly changes: readonly (readonly [from: string, to: string])[];
}

const MUTATIONS = {
  /** Readers compare no checksums of tensors and headers. */
  'no-checksums': {
    file: 'lambda/tensors/checksums.ts',
    changes: [
      ['if (got === expected) return;', 'return;'],
      ['if (expected !== got) throw', 'if (false) throw'],
    ],
  },
  /** All runs have the same keys. */
  'constant-prefix': {
    file: 'contract/keys.ts',
    changes: [
      ['${RUNS_PREFIX}${run}/', '${RUNS_PREFIX}same/run/'],
      ['${OUTPUTS_PREFIX}${run}.', '${OUTPUTS_PREFIX}same/run.'],
    ],
  },
  /** The lowest bit of the first element changes in every tensor that ONNX Runtime returns. */
  'flipped-bit': {
    file: 'lambda/slice/session.ts',
    changes: [
      ['const { type, dims: shape, data } = tensor;', '$&\n  bytesOf(data as ArrayBufferView)[0] ^= 1;'],
    ],
  },
  /** A write replaces the object of an earlier attempt. */
  'no-precondition': { file: 'lambda/store/s3.ts', changes: [["{ IfNoneMatch: '*' }", '{}']] },
} satisfies Readonly<Record<string, Mutation>>;

export type MutationName = keyof typeof MUTATIONS;

export const MUTATION_NAMES = Object.keys(MUTATIONS) as readonly MutationName[];

/** Replaces the code of the slice functions in the assemblies. */
export async function mutate(name: MutationName, assemblies: readonly string[]): Promise<void> {
  const { outputFiles } = await build({
    // As `scripts/bundle.mjs` builds it.
    ...{ bundle: true, platform: 'node', target: 'node20', format: 'cjs', mainFields: ['module', 'main'] },
    external: ['onnxruntime-node'],
    entryPoints: [path.join(packageRoot(), 'lambda/handler.ts')],
    plugins: [changing(MUTATIONS[name])],
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

function changing({ file, changes }: Mutation): Plugin {
  const absolute = path.join(packageRoot(), file);
  return {
    name: 'mutation',
    setup: (bundle) => {
      bundle.onLoad({ filter: /\.ts$/ }, ({ path: loaded }) =>
        loaded === absolute ? { contents: changed(absolute, changes), loader: 'ts' } : undefined,
      );
    },
  };
}

/** @throws Error if the source no longer has the text, because a mutation that changes nothing would seem unnoticed */
function changed(file: string, changes: Mutation['changes']): string {
  return changes.reduce(
    (source, [from, to]) => {
      const found = source.split(from).length - 1;
      if (found === 1) return source.replace(from, to);
      throw new Error(`${file} must have '${from}' once, got ${found}: adapt test/faults/mutations.ts`);
    },
    fs.readFileSync(file, 'utf8'),
  );
}
