/** Makes markup. All text is escaped, so markup in the names of a model stays text. */
import { visible } from '../figures';

export interface Markup {
  readonly html: string;
}

type Attributes = Readonly<Record<string, string>>;

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export function escapedText(text: string): string {
  return visible(text).replaceAll(/[&<>"]/g, (character) => ESCAPES[character]);
}

export function element(
  name: string,
  attributes: Attributes,
  ...children: readonly (Markup | string)[]
): Markup {
  const given = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapedText(value)}"`);
  const inside = children.map((child) => (typeof child === 'string' ? escapedText(child) : child.html));
  return { html: `<${name}${given.join('')}>${inside.join('')}</${name}>` };
}
