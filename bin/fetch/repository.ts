/** What a model's repository on the hub has: its commit and its files. Everything that the hub says is checked before it becomes a path. */
import { escaped, quoted, SlicedInferenceError } from '../../lib/errors';
import type { Hub } from './hub';

/** More than any model with ONNX files has: the largest public ones list about 2,000 files. */
const MAX_ENTRIES = 20_000;
const MAX_PATH = 1024;

export interface HubFile {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** The name of its content: the SHA-256 of a large file, git's SHA-1 of a small one. In hexadecimal. */
  readonly digest: string;
}

export const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

/** A path inside of the repository that is also one inside of any folder, on every system, and that is printed as it is. */
export function isInnerPath(path: string): boolean {
  const isPlain = path.length <= MAX_PATH && escaped(path) === path && !/[\\\p{Cs}]|^[a-z]:/iu.test(path);
  return isPlain && path.split('/').every((part) => !['', '.', '..'].includes(part));
}

export async function findCommit(hub: Hub): Promise<string> {
  const { value } = await hub.json(`/revision/${encodeURIComponent(hub.model.revision)}`);
  const { sha } = (value ?? {}) as { sha?: unknown };
  if (typeof sha === 'string' && isCommit(sha)) return sha;
  throw hub.refused('a revision without a commit');
}

export async function listFiles(hub: Hub, commit: string): Promise<HubFile[]> {
  const files: HubFile[] = [];
  const asked = new Set<string>();
  let entries = 0;
  let query: string | undefined = '?recursive=true';
  while (query !== undefined) {
    if (asked.has(query)) throw hub.refused('a list that repeats itself');
    asked.add(query);
    const page = await hub.json(`/tree/${commit}${query}`);
    if (!Array.isArray(page.value)) throw hub.refused('a list of files that is none');
    for (const entry of page.value) {
      const file = fileOf(entry, hub);
      if (file !== undefined) files.push(file);
    }
    entries += page.value.length;
    if (entries > MAX_ENTRIES) {
      const what = `${quoted(hub.model.repository)} must have at most ${MAX_ENTRIES} files and folders`;
      throw new SlicedInferenceError(what, 'more', 'download it with the tools of the hub');
    }
    // An empty page ends a list that would never end.
    query = page.value.length > 0 ? page.next : undefined;
  }
  return files;
}

function fileOf(entry: unknown, hub: Hub): HubFile | undefined {
  const { type, path, oid, size, lfs } = (entry ?? {}) as Record<string, unknown>;
  if (type !== 'file') return undefined;
  if (typeof path !== 'string' || !isInnerPath(path)) {
    const what = `the files of ${quoted(hub.model.repository)} must have paths inside it`;
    const got = typeof path === 'string' ? quoted(path) : 'one that is not text';
    throw new SlicedInferenceError(what, got, 'do not use this model');
  }
  const large = (lfs ?? {}) as Record<string, unknown>;
  const [digest, bytes] = lfs ? [large.oid, large.size] : [oid, size];
  const isDigest = typeof digest === 'string' && (lfs ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{40}$/).test(digest);
  if (isDigest && typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes >= 0)
    return { path, size: bytes, digest };
  throw hub.refused(`no size or digest of ${quoted(path)}`);
}
