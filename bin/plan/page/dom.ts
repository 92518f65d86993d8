/** Makes elements. All text goes through `textContent`, so markup in names stays text. */

type Attributes = Readonly<Record<string, string>>;

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

/** A cell whose text is isolated, so that a name in another direction does not reorder the words around it. */
export function tableCell(name: 'td' | 'th', text: string, attributes?: Attributes): HTMLElement {
  return element(name, attributes, element('bdi', {}, text));
}

/** @throws Error if the page has no such element */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page must have an element '${id}'`);
  return found;
}
