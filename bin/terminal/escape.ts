/** The escape of a character in JSON, and in languages that write strings as JSON does. */
export function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
