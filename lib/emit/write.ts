/** Writes a compiled model into a folder: `plan.json` and the slice files, all or nothing. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { CompiledModel } from './compiled-model';
import { SlicedInferenceError, quoted, systemReason } from '../errors';
import type { Chunk } from '../onnx/chunks';
import type { SourceFile } from '../onnx/model';
import { writeChunks } from '../onnx/write-chunks';
import type { PlannedFile } from '../plan/plan';

export const PLAN_FILE = 'plan.json';

/** Files that an earlier call may have left in a folder, and that a new one replaces. */
const SLICE_FILE = /^slice-\d+\.(onnx|weights)$/;

/** Called before each file is written. */
export type WriteProgress = (file: PlannedFile) => void;

/**
 * Writes everything into a folder beside `folder` first and moves it when complete. An existing `folder` is
 * replaced when it holds nothing but an earlier plan and its slices.
 *
 * @throws SlicedInferenceError when the folder cannot be written or holds other files
 */
export function writeSlices(
  compiled: CompiledModel,
  folder: string,
  onFile: WriteProgress = () => undefined,
): void {
  const target = path.resolve(folder);
  checkReplaceable(target);
  const created = missingParents(path.dirname(target));
  let staging: string | undefined;
  try {
    fs.mkdirSync(path.dirname(target), { recursive: true });
    staging = fs.mkdtempSync(`${target}.partial-`);
    fs.chmodSync(staging, 0o755);
    for (const [index, { model, weights }] of compiled.plan.slices.entries()) {
      const chunks = compiled.slices[index];
      onFile(model);
      writePlannedFile(compiled.files, chunks.model, model, staging);
      if (weights === undefined) continue;
      onFile(weights);
      writePlannedFile(compiled.files, chunks.weights, weights, staging);
    }
    fs.writeFileSync(path.join(staging, PLAN_FILE), planText(compiled));
    fs.rmSync(target, { recursive: true, force: true });
    fs.renameSync(staging, target);
  } catch (error) {
    if (staging !== undefined) fs.rmSync(staging, { recursive: true, force: true });
    for (const parent of created) if (fs.existsSync(parent)) fs.rmdirSync(parent);
    if (error instanceof SlicedInferenceError || (error as NodeJS.ErrnoException).code === undefined)
      throw error;
    throw new SlicedInferenceError(
      `output folder ${quoted(folder)} must be writable`,
      systemReason(error),
      'choose another folder or free some space',
    );
  }
}

/** Writes one file of a plan into `folder`; throws when the model changed since the plan was made. */
export function writePlannedFile(
  files: readonly SourceFile[],
  chunks: readonly Chunk[],
  planned: PlannedFile,
  folder: string,
): void {
  const digest = writeChunks(files, chunks, path.join(folder, planned.file));
  if (digest === planned.sha256) return;
  throw new SlicedInferenceError(
    `${quoted(files[0].path)} must stay as it is while it is sliced`,
    `other bytes in ${planned.file} than a moment ago`,
    'start again when nothing writes to it any more',
  );
}

/** The text of `plan.json`. */
export function planText({ plan }: Pick<CompiledModel, 'plan'>): string {
  return `${JSON.stringify(plan, undefined, 2)}\n`;
}

function checkReplaceable(target: string): void {
  let entries: string[];
  try {
    entries = fs.readdirSync(target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new SlicedInferenceError(
      `output folder ${quoted(target)} must be a writable folder`,
      systemReason(error),
      'choose another folder',
    );
  }
  const other = entries.find((entry) => entry !== PLAN_FILE && !SLICE_FILE.test(entry));
  if (other === undefined) return;
  throw new SlicedInferenceError(
    `output folder ${quoted(target)} must be empty or hold an earlier plan`,
    `one with ${quoted(other)}`,
    'choose another folder',
  );
}

/** The folders from `folder` upwards that do not exist, innermost first. */
function missingParents(folder: string): string[] {
  return fs.existsSync(folder) ? [] : [folder, ...missingParents(path.dirname(folder))];
}
