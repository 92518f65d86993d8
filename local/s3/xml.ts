/** XML text as S3's answers need it. */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

export function escapeXml(text: string): string {
  // Parsers turn a bare carriage return or line feed into something else, so control characters go by number.
  return text.replace(/[&<>"]|[^\P{Cc}]/gu, (c) => ENTITIES[c] ?? `&#${c.codePointAt(0) ?? 0};`);
}

/** `<name>text</name>`, or nothing where there is no text. */
export function element(name: string, text: string | number | boolean | undefined): string {
  return text === undefined ? '' : `<${name}>${escapeXml(String(text))}</${name}>`;
}
