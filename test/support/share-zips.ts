/** Lets the assemblies of all test files share packed assets, which have the digests of their contents as names. */
import * as fs from 'node:fs';
import * as path from 'node:path';

/**
 * The library that publishes assets packs each into this folder of the assembly, unless it is there. It renames a finished
 * file into place, so processes may share the folder.
 */
const PACKED = '.cache';

/** Call it before the assembly is published. Returns the folder of the assembly. */
export function shareZips(assembly: string): string {
  const shared = process.env.SLICED_INFERENCE_TEST_ZIPS;
  const packed = path.join(assembly, PACKED);
  if (shared !== undefined && !fs.existsSync(packed)) fs.symlinkSync(shared, packed);
  return assembly;
}
