/** Writes a profile as text: one line for each node, so that a change of one node changes one line. */
import type { ModelProfile } from './profile';

/** JSON with a line break at its end. */
export function profileText(profile: ModelProfile): string {
  const fields = Object.entries(profile).map(([name, value]) => {
    const own = Array.isArray(value) ? listText(value) : JSON.stringify(value);
    return `  ${JSON.stringify(name)}: ${own}`;
  });
  return `{\n${fields.join(',\n')}\n}\n`;
}

function listText(list: readonly unknown[]): string {
  return list.length === 0
    ? '[]'
    : `[\n${list.map((item) => `    ${JSON.stringify(item)}`).join(',\n')}\n  ]`;
}
