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

/** A whole answer in S3's namespace. @param fields elements as XML */
export function xmlDocument(root: string, fields: readonly string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${fields.join('')}</${root}>`;
}

const CHARACTERS = new Map(Object.entries(ENTITIES).map(([character, entity]) => [entity, character]));

/** The text of an element that holds text alone, as clients write it: with named entities and decimal numbers. */
export function unescapeXml(text: string): string {
  return text.replace(
    /&(?:#(\d{1,6})|\w+);/g,
    (entity, code?: string) =>
      CHARACTERS.get(entity) ?? (code === undefined ? entity : String.fromCodePoint(Number(code))),
  );
}
