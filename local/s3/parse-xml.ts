/** Reads the XML of requests: elements and text, without attributes, entities of its own or mixed content. */
import { S3Error } from './errors';
import { unescapeXml } from './xml';

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
