/** How long child processes with ONNX Runtime may take. */
import type { Model } from './model';

/**
 * ONNX Runtime 1.30 infers the types of 12,500 nodes in 2 s of a processor's time, and those of 50,000 nodes in 22 s. Others may
 * use the processor too.
 */
const MS_PER_NODE = 10;

/** A slow disk reads 10 MB in a second. */
const MS_PER_BYTE = 1e-4;

/** @param baseMs how long the process may take for a small model */
export function deadlineMs(baseMs: number, { graph, files }: Pick<Model, 'graph' | 'files'>): number {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  return Math.round(baseMs + MS_PER_NODE * graph.nodes.length + MS_PER_BYTE * bytes);
}
