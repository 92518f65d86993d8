/** Resolves a tensor's external data: always a file inside the model's folder, always long enough. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fingerprint } from '../cache/fingerprint';
import { SlicedInferenceError, quoted, systemReason } from '../errors';
import { MAX_EXTERNAL_REUSE, MIN_REUSED_BYTES } from './limits';
import type { SourceRange, SourceFile } from './model';

/** The entries of `TensorProto.external_data`. */
export type ExternalDataEntries = ReadonlyMap<string, string>;

export class ExternalFiles {
  private readonly indexByLocation = new Map<string, number>();
  private readonly indexByPath = new Map<string, number>();
  /** By file, in bytes: the lengths of all tensors in it. */
  private readonly used: number[] = [];
  private readonly folder: string;

  /** `files` holds the model's own file already; the others are added as tensors name them. */
  constructor(
    private readonly files: SourceFile[],
    private readonly givenFolder: string,
  ) {
    this.folder = fs.realpathSync(givenFolder);
  }

  /** The range of `byteLength` bytes that the entries of tensor `tensorName` point to. */
  resolve(tensorName: string, entries: ExternalDataEntries, byteLength: number): SourceRange {
    const location = entries.get('location') ?? '';
    const file = this.open(tensorName, location);
    const offset = count(tensorName, 'offset', entries.get('offset') ?? '0');
    const length = count(tensorName, 'length', entries.get('length') ?? String(byteLength));
    if (length !== byteLength) {
      throw new SlicedInferenceError(
        `external data of tensor ${quoted(tensorName)} must have the ${byteLength} bytes of its type and dims`,
        `a length of ${length}`,
        'export the model again',
      );
    }
    const { size } = this.files[file];
    if (offset + length > size) {
      throw new SlicedInferenceError(
        `external data of tensor ${quoted(tensorName)} needs bytes ${offset} to ${offset + length} of ${quoted(location)}`,
        `a file of ${size} bytes`,
        'the file is cut short or belongs to another model; copy or download it again',
      );
    }
    this.used[file] = (this.used[file] ?? 0) + length;
    if (this.used[file] > MAX_EXTERNAL_REUSE * Math.max(size, MIN_REUSED_BYTES)) {
      throw new SlicedInferenceError(
        `the tensors in ${quoted(location)} may share its bytes, and have ${MAX_EXTERNAL_REUSE} times as many in all`,
        `more with tensor ${quoted(tensorName)}`,
        'the file is damaged or hostile',
      );
    }
    return { file, offset, length };
  }

  private open(tensorName: string, location: string): number {
    const known = this.indexByLocation.get(location);
    if (known !== undefined) return known;
    const subject = `external data of tensor ${quoted(tensorName)}`;
    if (location === '' || location.includes('\0')) {
      throw new SlicedInferenceError(
        `${subject} must name a file`,
        quoted(location.replaceAll('\0', '\\0')),
        'export the model again',
      );
    }
    const target = path.resolve(this.folder, location);
    let real: string;
    try {
      real = fs.realpathSync(target);
    } catch (error) {
      // A path that leads outside is told so even when nothing is there: what exists outside is none of its business.
      if (path.isAbsolute(location) || !isInside(this.folder, target)) throw escapes(subject, location);
      throw new SlicedInferenceError(
        `${subject} lies in ${quoted(location)} beside the model`,
        systemReason(error),
        'put the file next to the model',
      );
    }
    if (path.isAbsolute(location) || !isInside(this.folder, target)) throw escapes(subject, location);
    if (!isInside(this.folder, real)) {
      throw new SlicedInferenceError(
        `${subject} must stay inside the model's folder`,
        `${quoted(location)}, a link that leads out of it`,
        'put the file itself in its place, or a hard link to it',
      );
    }
    const stat = fs.statSync(real);
    if (!stat.isFile()) {
      throw new SlicedInferenceError(
        `${subject} must lie in a file`,
        `${quoted(location)}, which is none`,
        'put the file next to the model',
      );
    }
    // One file may go by several names.
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

function escapes(subject: string, location: string): SlicedInferenceError {
  return new SlicedInferenceError(
    `${subject} must stay inside the model's folder`,
    quoted(location),
    'move the file into that folder and export with a relative location',
  );
}

function isInside(folder: string, target: string): boolean {
  const relative = path.relative(folder, target);
  // A name may begin with two dots.
  const leadsUp = relative === '..' || relative.startsWith(`..${path.sep}`);
  return relative !== '' && !leadsUp && !path.isAbsolute(relative);
}

function count(tensorName: string, entry: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new SlicedInferenceError(
      `external data of tensor ${quoted(tensorName)} must have a whole number of bytes as ${entry}`,
      quoted(text),
      'export the model again',
    );
  }
  return value;
}
