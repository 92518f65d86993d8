/** State that the parsers of one model share: the files of its external data, inside the model's folder, and what was counted. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { TextDecoder } from 'node:util';
import { fingerprint } from '../cache/fingerprint';
import { SlicedInferenceError, quoted, systemReason } from '../errors';
import { MAX_EXTERNAL_REUSE, MIN_REUSED_BYTES, MAX_NODES, MAX_USES, WINDOW_BYTES } from './limits';
import type { SourceRange, SourceFile, TensorWithData } from './model';
import type { ByteSource, Span } from './wire';

export class ExternalFiles {
  private readonly indexByLocation = new Map<string, number>();
  private readonly indexByPath = new Map<string, number>();
  /** By file index: the sum of the lengths of the tensors in the file, in bytes. */
  private readonly used: number[] = [];
  private readonly folder: string;

  /** `files` already holds the model's own file; `resolve` adds the files that tensors name. */
  constructor(
    private readonly files: SourceFile[],
    private readonly givenFolder: string,
  ) {
    this.folder = fs.realpathSync(givenFolder);
  }

  /** The range of `byteLength` bytes that the entries of tensor `tensorName` name. */
  resolve(tensorName: string, entries: ReadonlyMap<string, string>, byteLength: number): SourceRange {
    const location = entries.get('location') ?? '';
    const file = this.open(tensorName, location);
    const offset = count(tensorName, 'offset', entries.get('offset') ?? '0');
    const length = count(tensorName, 'length', entries.get('length') ?? String(byteLength));
    if (length !== byteLength) {
      const must = `have the ${byteLength} bytes of its type and dims`;
      throw refused(tensorName, must, `a length of ${length}`, 'export the model again');
    }
    const { size } = this.files[file];
    if (offset + length > size) {
      const must = `lie in bytes ${offset} to ${offset + length} of ${quoted(location)}`;
      const advice = 'the file is cut short or belongs to another model; copy or download it again';
      throw refused(tensorName, must, `a file of ${size} bytes`, advice);
    }
    this.used[file] = (this.used[file] ?? 0) + length;
    if (this.used[file] > MAX_EXTERNAL_REUSE * Math.max(size, MIN_REUSED_BYTES)) {
      const must = `add up with others in ${quoted(location)} to at most ${MAX_EXTERNAL_REUSE} times its size`;
      throw refused(tensorName, must, 'more', 'the file is damaged or hostile');
    }
    return { file, offset, length };
  }

  private open(tensorName: string, location: string): number {
    const known = this.indexByLocation.get(location);
    if (known !== undefined) return known;
    const target = targetOf(this.folder, tensorName, location);
    let real: string;
    try {
      real = fs.realpathSync(target);
    } catch (error) {
      const must = `lie in ${quoted(location)} beside the model`;
      throw refused(tensorName, must, systemReason(error), 'put the file next to the model');
    }
    if (!isInside(this.folder, real) && !isHubBlob(this.folder, real)) {
      const got = `${quoted(location)}, a link that leads out of it`;
      throw refused(
        tensorName,
        STAY_INSIDE,
        got,
        'replace the link with the file itself or a hard link to it',
      );
    }
    const stat = fs.statSync(real);
    if (!stat.isFile()) {
      const got = `${quoted(location)}, which is not a regular file`;
      throw refused(tensorName, 'lie in a file', got, 'put the file next to the model');
    }
    // Several locations may name one file.
    const index =
      this.indexByPath.get(real) ??
      this.files.push({ path: real, names: [], size: stat.size, fingerprint: fingerprint(real) }) - 1;
    const { names, ...file } = this.files[index];
    this.files[index] = { ...file, names: [...names, path.resolve(this.givenFolder, location)] };
    this.indexByPath.set(real, index);
    this.indexByLocation.set(location, index);
    return index;
  }
}

/** The path of a file of external data, inside the model's folder unless a link leads out. */
function targetOf(folder: string, tensorName: string, location: string): string {
  if (location === '' || location.includes('\0')) {
    const got = quoted(location.replaceAll('\0', '\\0'));
    throw refused(tensorName, 'name a file', got, 'export the model again');
  }
  const target = path.resolve(folder, location);
  // Outside the folder an error must not reveal which files exist there.
  if (path.isAbsolute(location) || !isInside(folder, target)) {
    const advice = 'move the file into that folder and export with a relative location';
    throw refused(tensorName, STAY_INSIDE, quoted(location), advice);
  }
  return target;
}

/**
 * Whether a file is a blob of the hub's cache, and the folder a part of a snapshot of the same model: the cache keeps contents in
 * `models--org--name/blobs`, and links to them in `models--org--name/snapshots/COMMIT`.
 * https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 */
function isHubBlob(folder: string, real: string): boolean {
  const cached = /^(.*[\\/]models--[^\\/]+)[\\/]snapshots[\\/][0-9a-f]{40}(?=[\\/]|$)/.exec(folder)?.at(1);
  const isBlob = /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(path.basename(real));
  return cached !== undefined && isBlob && path.dirname(real) === path.join(cached, 'blobs');
}

const STAY_INSIDE = "stay inside the model's folder";

function refused(tensorName: string, must: string, got: string, advice: string): SlicedInferenceError {
  return new SlicedInferenceError(`external data of tensor ${quoted(tensorName)} must ${must}`, got, advice);
}

function isInside(folder: string, target: string): boolean {
  const relative = path.relative(folder, target);
  // A file's name may begin with two dots.
  const leadsUp = relative === '..' || relative.startsWith(`..${path.sep}`);
  return relative !== '' && !leadsUp && !path.isAbsolute(relative);
}

function count(tensorName: string, entry: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    const must = `have a whole number of bytes as ${entry}`;
    throw refused(tensorName, must, quoted(text), 'export the model again');
  }
  return value;
}

export class ParseContext {
  /** Whether a tensor, an input or a type attribute read so far has the type float16. */
  usesFloat16 = false;
  /** Describes where the first string with a NUL or with invalid UTF-8 was found. */
  unsafeStrings: string | undefined;
  /** The tensors read so far with data in another file, by the place of their message in the model's file. */
  readonly externalTensors = new Map<number, TensorWithData>();
  /** Names that graphs inside of nodes define. */
  readonly bodyNames = new Set<string>();
  private nodes = 0;
  private uses = 0;

  constructor(readonly external: Pick<ExternalFiles, 'resolve'>) {}

  countNode(): void {
    if (++this.nodes > MAX_NODES) throw tooMany(MAX_NODES, 'nodes, including nodes in bodies and functions');
  }

  /** Counts an input, output or capture of a node, and returns its name. */
  used(name: string): string {
    if (++this.uses > MAX_USES) throw tooMany(MAX_USES, 'inputs, outputs and captures of nodes');
    return name;
  }

  noteUnsafeStrings(holder: string): void {
    this.unsafeStrings ??= holder;
  }

  /** Whether a string has neither a NUL nor invalid UTF-8; not checked again when an unsafe string was already noted. */
  isSafeString(source: ByteSource, span: Span): boolean {
    if (this.unsafeStrings !== undefined) return true;
    const decoder = new TextDecoder('utf-8', { fatal: true });
    // A string may be as long as the file, so it is read in pieces.
    for (let start = span.start; start < span.end; start += WINDOW_BYTES) {
      const end = Math.min(span.end, start + WINDOW_BYTES);
      const bytes = source.bytes({ start, end });
      if (bytes.includes(0)) return false;
      try {
        decoder.decode(bytes, { stream: end < span.end });
      } catch {
        // A fatal decoder only throws for bytes that are no UTF-8.
        return false;
      }
    }
    return true;
  }
}

function tooMany(limit: number, what: string): SlicedInferenceError {
  return new SlicedInferenceError(`the model must have at most ${limit} ${what}`, 'more', 'split the model');
}
