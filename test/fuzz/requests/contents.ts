/** Finds the contents of a request: what its strings and numbers say, as opposed to names and keys. */

/** Shorter texts may be in a message by chance. */
const LEAST_CHARACTERS = 8;

const MOST_CONTENTS = 10_000;

/** Returns texts that no message and no log may have. */
export function contentsOf(request: unknown): string[] {
  const contents = new Set<string>();
  const names = new Set<string>();
  const pending: unknown[] = [request];
  while (pending.length > 0 && contents.size < MOST_CONTENTS) {
    const value = pending.pop();
    const content = contentOf(value);
    if (content.length >= LEAST_CHARACTERS) contents.add(content);
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, inner] of Object.entries(value)) {
      pending.push(inner);
      if (!Array.isArray(value)) names.add(name);
      // Messages name the key of a request in S3.
      if (name === 's3' && typeof inner === 'string') names.add(inner);
    }
  }
  const shown = [...names].filter((name) => name.length >= LEAST_CHARACTERS);
  const isShown = (content: string): boolean =>
    shown.some((name) => name.includes(content) || content.includes(name));
  return [...contents].filter((content) => !isShown(content));
}

/** Short words and whole numbers may describe a tensor, and messages show those: see `lambda/json-values.ts`. */
function contentOf(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? '' : String(value);
  return typeof value === 'string' && (/\s/.test(value) || value.length > 24) ? value : '';
}
