/** What a snapshot test compares of a stack: it stays the same if only the weights change, and differs if cuts do. */
import * as fs from 'node:fs';
import type { NodeRun, SlicePlan } from '../lib/plan/file/plan';

/** A value for `toMatchSnapshot()`. */
export interface StackSnapshot {
  /** How the model is cut: of each slice its nodes, as runs of their indexes, and the tensors that it passes on. */
  readonly cuts: readonly SliceCut[];
  /** The template with `<digest>` in place of what changes with the weights. */
  readonly template: unknown;
}

export interface SliceCut {
  readonly nodes: readonly NodeRun[];
  readonly outputs: readonly string[];
}

/**
 * SHA-256 digests, and the digests behind the eight characters that CDK appends to a logical id: those of versions of functions have 32
 * digits, those of policies eight.
 */
export const DIGESTS = /\b[0-9a-f]{64}\b|(?<=[0-9A-F]{8})(?:[0-9a-f]{32}|[0-9a-f]{8})\b/g;

/**
 * Call it with `Template.fromStack(stack).toJSON()` and `pipeline.planPath`. A template alone does not say where a model is cut: it has
 * digests of the slices only.
 *
 * @param template of a stack with one pipeline
 */
export function snapshotOf(template: object, planPath: string): StackSnapshot {
  const { slices } = JSON.parse(fs.readFileSync(planPath, 'utf8')) as SlicePlan;
  return {
    cuts: slices.map(({ nodes, outputs }) => ({ nodes, outputs: outputs.map(({ name }) => name) })),
    template: JSON.parse(JSON.stringify(template).replaceAll(DIGESTS, '<digest>')),
  };
}
