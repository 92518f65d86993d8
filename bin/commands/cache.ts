/** `sliced-inference cache clear`: removes what the library keeps to be faster the next time. */
import { Command } from 'commander';
import { CACHE_VARIABLE, cacheRoot, clearCache } from '../../lib/cache/folder';
import { formatBytes } from '../terminal/format';

const HELP = `
The cache has answers of ONNX Runtime, optimized graphs, and the slices of synthesized stacks, which assemblies share as
hard links: clearing it breaks none of them. It lies in ${CACHE_VARIABLE}, by default in the user's cache folder; set
to nothing, that variable switches it off.

Examples:
  $ sliced-inference cache clear`;

export function cacheCommand(): Command {
  const clear = new Command('clear')
    .description('remove everything from the cache')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }) => {
      const folder = cacheRoot() ?? null;
      const bytes = clearCache();
      process.stdout.write(
        json ? `${JSON.stringify({ folder, bytes }, undefined, 2)}\n` : `${describe(folder, bytes)}\n`,
      );
    });
  return new Command('cache')
    .description('look after the cache')
    .addHelpText('after', HELP)
    .addCommand(clear);
}

function describe(folder: string | null, bytes: number): string {
  if (folder === null) return 'the cache is switched off';
  return bytes === 0
    ? `${folder} holds nothing of the cache`
    : `removed ${formatBytes(bytes)} from ${folder}`;
}
