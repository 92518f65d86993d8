/** Reads and writes the XML text of S3's requests and responses. */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

function escapeXml(text: string): string {
  // Parsers normalize bare carriage returns and line feeds, so write control characters as numbers.
  return text.replace(/[&<>"]|[^\P{Cc}]/gu, (c) => ENTITIES[c] ?? `&#${c.codePointAt(0) ?? 0};`);
}

/** `<name>text</name>`, or an empty string without text. */
export function element(name: string, text: string | number | boolean | undefined): string {
  return text === undefined ? '' : `<${name}>${escapeXml(String(text))}</${name}>`;
}

export function xmlDocument(root: string, fields: readonly string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${fields.join('')}</${root}>`;
}

const CHARACTERS = new Map(Object.entries(ENTITIES).map(([character, entity]) => [entity, character]));

/** The text of an element without children. Clients write named entities, and decimal and hexadecimal numbers. */
export function unescapeXml(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|\w+);/gi,
    (entity, decimal?: string, hex?: string) => {
      const code = decimal === undefined ? parseInt(hex ?? '', 16) : Number(decimal);
      if (entity === '&apos;') return "'";
      return CHARACTERS.get(entity) ?? (code <= 0x10ffff ? String.fromCodePoint(code) : entity);
    },
  );
}
