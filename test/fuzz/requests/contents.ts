/** Finds the contents of a request: what its strings and numbers say, as opposed to names and keys. */

const LEAST_CHARACTERS = 8;
const MOST_CONTENTS = 10_000;

/** Returns texts that no message or log may have: they are too long or too odd to be there by chance. */
export function contentsOf(request: unknown): string[] {
  const found = new Set<string>();
  const names = new Set<string>();
  const pending: unknown[] = [request];
  while (pending.length > 0 && found.size < MOST_CONTENTS) {
    const value = pending.pop();
    const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
    if (isTelling(value) && text.length >= LEAST_CHARACTERS) found.add(text);
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, inner] of Object.entries(value)) {
      pending.push(inner);
      if (!Array.isArray(value)) names.add(name);
      // Messages name the key of a request in S3.
      if (name === 's3') names.add(String(typeof inner === 'string' ? inner : ''));
    }
  }
  return [...found].filter(
    (text) =>
      ![...names].some(
        (name) => name.includes(text) || (text.includes(name) && name.length >= LEAST_CHARACTERS),
      ),
  );
}

/** Short words and whole numbers may describe a tensor, and messages show those: see `lambda/json-values.ts`. */
function isTelling(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isInteger(value);
  return typeof value === 'string' && (/\s/.test(value) || value.length > 24);
}
