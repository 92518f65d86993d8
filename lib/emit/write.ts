/** Writes a compiled model into a folder: `plan.json` and the slice files, all or nothing. Reads each weight once. */
import { SLICE_FILE } from '../../contract/keys';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { CompiledModel } from './slice';
import { SlicedInferenceError, quoted, systemReason } from '../errors';
import { linkTarget, makeFolder, withPartial } from '../host/folders';
import type { SourceFile } from '../onnx/model';
import { writeChunks } from '../onnx/write-chunks';
import type { FileDraft, PlannedFile, SlicePlan } from '../plan/file/plan';
import { type SliceDigests, sealPlan } from './seal-plan';

export const PLAN_FILE = 'plan.json';

/** Temporary folders on disk while the output folder is incomplete. */
export interface Unfinished {
  /** All files are written into this folder first. */
  readonly partial: string;
  /** Parents of the output folder that did not exist before, innermost first. */
  readonly parents: readonly string[];
}

interface WriteOptions {
  /** The name in the folder. @default - the name in the plan */
  readonly nameOf?: (file: PlannedFile) => string;
  /** Called before any folder is created, with the folders to remove if the process is killed. */
  readonly onStart?: (unfinished: Unfinished) => void;
  readonly onFile?: (file: FileDraft) => void;
}

/**
 * Writes all files into a temporary folder first and moves them when complete. An existing `folder` is kept, because it
 * may be a mount or a working directory, and so is a link to one; an earlier plan and its slices in it are replaced.
 */
export function writeSlices(compiled: CompiledModel, folder: string, options: WriteOptions = {}): SlicePlan {
  const target = linkTarget(folder);
  const isThere = checkReplaceable(target);
  if (isThere) checkKeepsModel([...compiled.source, ...compiled.files], target);
  const name = `.partial-${randomBytes(6).toString('hex')}`;
  // Write inside an existing folder: it may be a mount, and files cannot be renamed across file systems.
  const partial = isThere ? path.join(target, name) : `${target}${name}`;
  const parents = isThere ? [] : missingParents(path.dirname(target));
  options.onStart?.({ partial, parents });
  try {
    return withPartial(partial, () => {
      makeFolder(path.dirname(partial));
      fs.mkdirSync(partial);
      const plan = writeFiles(compiled, partial, options);
      if (isThere) replaceFiles(partial, target);
      else fs.renameSync(partial, target);
      return plan;
    });
  } catch (error) {
    // Another program may have written files into the folders meanwhile.
    for (const parent of parents)
      if (fs.existsSync(parent) && fs.readdirSync(parent).length === 0) fs.rmdirSync(parent);
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof SlicedInferenceError || code === undefined) throw error;
    throw new SlicedInferenceError(
      `output folder ${quoted(folder)} must be writable`,
      systemReason(error),
      'choose another folder or free some space',
    );
  }
}

function writeFiles(compiled: CompiledModel, folder: string, options: WriteOptions): SlicePlan {
  const { onFile, nameOf } = options;
  const { plan: draft, files } = compiled;
  const digests = draft.slices.map(({ model, weights }, index): SliceDigests => {
    const chunks = compiled.slices[index];
    onFile?.(model);
    const digest = writeChunks(files, chunks.model, path.join(folder, model.file));
    if (weights === undefined) return { model: digest };
    onFile?.(weights);
    return { model: digest, weights: writeChunks(files, chunks.weights, path.join(folder, weights.file)) };
  });
  const plan = sealPlan(draft, digests);
  fs.writeFileSync(path.join(folder, PLAN_FILE), planText(plan));
  if (nameOf) {
    for (const file of plan.slices.flatMap(({ model, weights }) => [model, ...(weights ? [weights] : [])]))
      fs.renameSync(path.join(folder, file.file), path.join(folder, nameOf(file)));
  }
  return plan;
}

/** Removes the old plan first and adds the new plan last, so a plan in the folder always matches the slices. */
function replaceFiles(partial: string, target: string): void {
  fs.rmSync(path.join(target, PLAN_FILE), { force: true });
  for (const entry of fs.readdirSync(target)) if (SLICE_FILE.test(entry)) fs.rmSync(path.join(target, entry));
  const written = fs.readdirSync(partial).filter((entry) => entry !== PLAN_FILE);
  for (const entry of [...written, PLAN_FILE]) {
    fs.renameSync(path.join(partial, entry), path.join(target, entry));
  }
  fs.rmdirSync(partial);
}

export function planText(plan: SlicePlan): string {
  return `${JSON.stringify(plan, undefined, 2)}\n`;
}

/** Whether the folder exists. */
function checkReplaceable(target: string): boolean {
  let entries: string[];
  try {
    entries = fs.readdirSync(target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw new SlicedInferenceError(
      `output folder ${quoted(target)} must be a writable folder`,
      systemReason(error),
      'choose another folder',
    );
  }
  const other = entries.find((entry) => entry !== PLAN_FILE && !SLICE_FILE.test(entry));
  if (other === undefined) return true;
  throw new SlicedInferenceError(
    `output folder ${quoted(target)} must be empty or hold an earlier plan`,
    `a folder with ${quoted(other)}`,
    'choose another folder',
  );
}

/** A slice can itself be sliced; its new slices must not replace it. */
function checkKeepsModel(files: readonly SourceFile[], target: string): void {
  const folder = fs.realpathSync(target);
  const own = files.find((file) => path.dirname(fs.realpathSync(file.path)) === folder);
  if (own === undefined) return;
  throw new SlicedInferenceError(
    `output folder ${quoted(target)} must not be the model's folder`,
    `the folder of ${quoted(path.basename(own.path))}, which is being sliced`,
    'choose another folder',
  );
}

/** `folder` and its parents, as far as they do not exist, innermost first. */
function missingParents(folder: string): string[] {
  return fs.existsSync(folder) ? [] : [folder, ...missingParents(path.dirname(folder))];
}
