/** Prints what the demo found. */
import type { CallTiming } from 'cdk-sliced-inference/client';
import type { PhotoText } from './functions/read-text';

/** One line for each line of text. */
export function textTable(lines: PhotoText['lines']): string {
  return table(
    ['text', 'confidence'],
    lines.map(({ text, confidence }) => [text, `${(confidence * 100).toFixed(1)} %`]),
  );
}

/** One line for each call of a slice. */
export function sliceTable({ detection, recognition }: PhotoText['runs']): string {
  const rows = (model: string, timings: readonly CallTiming[]) =>
    timings.map(({ slice, cold, loadMs, readMs, runMs, writeMs, weightBytes, peakMemoryBytes }) => [
      `${model} ${slice ?? 'whole'}`,
      megabytes(weightBytes),
      cold ? loadMs.toFixed(0) : 'warm',
      readMs.toFixed(0),
      runMs.toFixed(0),
      writeMs.toFixed(0),
      megabytes(peakMemoryBytes),
    ]);
  return table(
    ['slice', 'weights', 'load ms', 'read ms', 'run ms', 'write ms', 'peak memory'],
    [
      ...rows('detection', detection.timings),
      ...recognition.flatMap(({ timings }, batch) =>
        rows(recognition.length > 1 ? `recognition of batch ${batch},` : 'recognition', timings),
      ),
    ],
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column].length)),
  );
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
        .join('  '),
    )
    .join('\n');
}
