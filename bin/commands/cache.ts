/** `sliced-inference cache clear`: removes all cached files. */
import { Command } from 'commander';
import { CACHE_VARIABLE, cacheRoot, clearCache } from '../../lib/cache/folder';
import { formatBytes } from '../terminal/format';
import { laidOut } from '../terminal/help';
import { print } from '../terminal/print';

const EXAMPLE = `
Examples:
  $ sliced-inference cache clear`;

const HELP = `
The cache holds types that ONNX Runtime inferred, optimized graphs and the slices of synthesized stacks. Cloud assemblies
share the cached slices as hard links, so clearing the cache breaks no assembly. ${CACHE_VARIABLE} names
the cache's folder, by default a folder in the user's cache folder. An empty value switches the cache off.
${EXAMPLE}`;

export function cacheCommand(): Command {
  const clear = new Command('clear')
    .description('remove everything from the cache')
    .addHelpText('after', laidOut(EXAMPLE))
    .action(() => {
      print(`${describe(cacheRoot(), clearCache())}\n`);
    });
  return new Command('cache')
    .description('manage the cache of types, graphs and slices')
    .helpCommand(false)
    .addHelpText('after', laidOut(HELP))
    .addCommand(clear);
}

function describe(folder: string | undefined, bytes: number): string {
  if (folder === undefined) return 'the cache is switched off';
  return bytes === 0 ? `${folder} holds no cached files` : `removed ${formatBytes(bytes)} from ${folder}`;
}
