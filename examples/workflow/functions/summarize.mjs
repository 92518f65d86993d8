/** Turns the results of the pipeline into text. A drawing that failed becomes a question mark. */
export async function handler({ results }) {
  const failures = results.flatMap(({ error }, drawing) => (error ? [{ drawing, ...error }] : []));
  return { text: results.map((result) => (result.error ? '?' : digit(result))).join(''), failures };
}

function digit({ outputs }) {
  const bytes = Uint8Array.from(Buffer.from(outputs.tensors.probabilities.base64, 'base64'));
  const probabilities = new Float32Array(bytes.buffer);
  return probabilities.indexOf(Math.max(...probabilities));
}
