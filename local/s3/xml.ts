/** Reads and writes XML: elements and text, without attributes, entities of its own or mixed content. */
import { S3Error } from './errors';

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

/** Elements by their names; without a value there is none, and with several there are several. */
export interface XmlFields {
  readonly [name: string]: XmlValue | readonly XmlValue[];
}

type XmlValue = string | number | boolean | undefined | XmlFields;

/** A whole response in S3's namespace. @param content text, or elements */
export function xmlDocument(root: string, content: string | XmlFields): string {
  const inner = typeof content === 'string' ? escapeXml(content) : elements(content);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</${root}>`;
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

/** Deeper than any request of S3. */
const MAX_DEPTH = 8;

export interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  /** The text of an element without children. */
  readonly text: string;
}

const TOKEN =
  /<\?[^>]*\?>|<!--[^]*?-->|<(?<close>\/)?(?<name>[A-Za-z_][\w.:-]*)(?:\s[^<>]*?)?(?<empty>\/)?>|(?<text>[^<]+)/y;

interface OpenElement {
  readonly name: string;
  readonly children: XmlElement[];
  text: string;
}

export function parseXml(xml: string, root: string): XmlElement {
  const document: OpenElement = { name: '', children: [], text: '' };
  const open: OpenElement[] = [document];
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < xml.length;) {
    const token: Partial<Record<string, string>> = TOKEN.exec(xml)?.groups ?? malformed();
    const { close, name, empty, text } = token;
    const parent = open.at(-1) ?? malformed();
    if (text !== undefined) parent.text += text;
    else if (name === undefined) continue;
    else if (close !== undefined) {
      open.pop();
      const outer = open.at(-1);
      if (outer === undefined || parent.name !== name) malformed();
      outer.children.push(finished(parent));
    } else if (empty !== undefined) parent.children.push({ name, children: [], text: '' });
    else if (open.push({ name, children: [], text: '' }) > MAX_DEPTH) malformed();
  }
  const [element] = document.children;
  if (document.children.length !== 1 || element.name !== root || open.length > 1) malformed();
  return element;
}

function finished({ name, children, text }: OpenElement): XmlElement {
  if (children.length > 0 && text.trim() !== '') malformed();
  return { name, children, text: children.length > 0 ? '' : unescapeXml(text) };
}

export function fieldsOf({ children }: XmlElement): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const { name, children: below, text } of children) {
    if (below.length > 0 || fields.has(name)) malformed();
    fields.set(name, text);
  }
  return fields;
}

export function malformed(): never {
  throw new S3Error('MalformedXML');
}
