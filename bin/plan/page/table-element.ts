/** Makes a table that scrolls sideways in a narrow window. */
import { element } from './dom';
import { type Figure, figureText } from '../figures';
import type { Table } from './tables';

export function tableElement({ caption, head, rows, foot = [] }: Table): HTMLElement {
  const isNumeric = head.map((_, column) =>
    [...rows, ...foot].some((row) => typeof row.at(column) === 'object'),
  );
  const cell = (figure: Figure, column: number): HTMLElement => {
    const attributes = isNumeric[column] ? { class: 'number' } : undefined;
    // Isolated, so that a name in another direction does not reorder the words around it.
    const text = element('bdi', {}, figureText(figure));
    return column === 0
      ? element('th', { scope: 'row', ...attributes }, text)
      : element('td', attributes, text);
  };
  const line = (row: readonly Figure[]): HTMLElement => element('tr', {}, ...row.map(cell));
  const headings = head.map((name, column) =>
    element('th', { scope: 'col', ...(isNumeric[column] && { class: 'number' }) }, name),
  );
  return element(
    'div',
    { class: 'scroll', role: 'region', 'aria-label': caption, tabindex: '0' },
    element(
      'table',
      {},
      element('caption', {}, caption),
      element('thead', {}, element('tr', {}, ...headings)),
      element('tbody', {}, ...rows.map(line)),
      ...(foot.length > 0 ? [element('tfoot', {}, ...foot.map(line))] : []),
    ),
  );
}
