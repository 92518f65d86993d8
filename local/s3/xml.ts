/** Writes XML: elements and text, without attributes or mixed content. */

const ENTITIES: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot' };

/** Also control characters, because parsers normalize bare carriage returns and line feeds. */
function escapeXml(text: string): string {
  return text.replace(/[&<>"]|[^\P{Cc}]/gu, (c) => `&${ENTITIES[c] ?? `#${c.charCodeAt(0)}`};`);
}

/** Elements by their names; without a value there is none, and with several there are several. */
export interface XmlFields {
  readonly [name: string]: XmlValue | readonly XmlValue[];
}

type XmlValue = string | number | boolean | undefined | XmlFields;

/** A whole response in S3's namespace. */
export function xmlDocument(root: string, content: XmlFields): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${elements(content)}</${root}>`;
}

export function elements(fields: XmlFields): string {
  return Object.entries(fields)
    .flatMap(([name, values]) => [values].flat().map((value) => element(name, value)))
    .join('');
}

function element(name: string, value: XmlValue): string {
  if (value === undefined) return '';
  return `<${name}>${typeof value === 'object' ? elements(value) : escapeXml(String(value))}</${name}>`;
}
