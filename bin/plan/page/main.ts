/** The page of `--report`: shows the report that is embedded in it. */
import type { PlanReport } from '../plan-report';
import { ChartFrame } from './chart-frame';
import { byId, element } from './dom';
import { type Figure, figureText, quantityText, visible } from '../figures';
import { type Section, headlines, sectionsOf } from './sections';
import type { Table } from './tables';
import { type Theme, DARK, LIGHT } from './theme';

const prefersDark = window.matchMedia('(prefers-color-scheme: dark)');

function currentTheme(): Theme {
  return prefersDark.matches ? DARK : LIGHT;
}

function showHead(report: PlanReport): void {
  const { model, verdict, warnings } = report;
  document.title = `Plan of ${visible(model.file)}`;
  byId('model').append(element('bdi', {}, visible(model.file)));
  const [first, ...others] = verdict;
  byId('verdict').append(
    ...(verdict.length > 0 ? [element('p', { class: 'first' }, visible(first))] : []),
    ...others.map((sentence) => element('p', {}, visible(sentence))),
  );
  byId('headlines').append(
    ...headlines(report).map(({ label, figure }) =>
      element('div', {}, element('dt', {}, label), element('dd', {}, figureText(figure))),
    ),
  );
  byId('dimensions').append(
    ...model.dimensions.map(({ name, size, isAssumed }) =>
      element(
        'li',
        {},
        element('bdi', {}, visible(name)),
        ` = ${quantityText('count', size)}${isAssumed ? ' (assumed)' : ''}`,
      ),
    ),
  );
  byId('warnings').append(...warnings.map((warning) => element('li', {}, visible(warning))));
  for (const [id, list] of [
    ['dimensions', model.dimensions],
    ['warnings', warnings],
  ] as const)
    byId(`${id}-block`).hidden = list.length === 0;
}

function sectionElement(section: Section, frames: ChartFrame[]): HTMLElement {
  const { id, title, text, charts, notes, tables, folded } = section;
  const made = charts.map(({ chart, title: name }) => new ChartFrame(chart, currentTheme(), name));
  frames.push(...made);
  return element(
    'section',
    { id, 'aria-labelledby': `${id}-title` },
    element('h2', { id: `${id}-title` }, title),
    element('p', { class: 'how' }, text),
    ...made.map((frame) => frame.element),
    ...tables.map(tableElement),
    ...notes.map(({ name, sentences }) =>
      element(
        'div',
        { class: 'note' },
        element('h3', {}, visible(name)),
        element('ul', {}, ...sentences.map((sentence) => element('li', {}, visible(sentence)))),
      ),
    ),
    ...folded.map((table) =>
      element('details', {}, element('summary', {}, `Table: ${table.caption}`), tableElement(table)),
    ),
  );
}

/** It scrolls sideways in a narrow window. */
function tableElement({ caption, head, rows, foot = [] }: Table): HTMLElement {
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

/** Folded tables with more rows stay folded on paper. */
const MOST_PRINTED_ROWS = 60;

/** Paper is white: charts get light colors and a width that fits, and folded tables open. */
function preparePrinting(frames: readonly ChartFrame[]): void {
  let closed: HTMLDetailsElement[] = [];
  window.addEventListener('beforeprint', () => {
    closed = [...document.querySelectorAll<HTMLDetailsElement>('main details:not([open])')].filter(
      (details) => details.querySelectorAll('tbody tr').length <= MOST_PRINTED_ROWS,
    );
    for (const details of closed) details.open = true;
    for (const frame of frames) {
      frame.setTheme(LIGHT);
      frame.setPaper(true);
    }
  });
  window.addEventListener('afterprint', () => {
    for (const details of closed) details.open = false;
    for (const frame of frames) {
      frame.setTheme(currentTheme());
      frame.setPaper(false);
    }
  });
}

function show(report: PlanReport): void {
  showHead(report);
  const frames: ChartFrame[] = [];
  const sections = sectionsOf(report);
  byId('sections').append(...sections.map((section) => sectionElement(section, frames)));
  byId('contents').append(
    ...sections.map(({ id, title }) => element('li', {}, element('a', { href: `#${id}` }, title))),
  );
  for (const frame of frames) frame.start();
  prefersDark.addEventListener('change', () => {
    for (const frame of frames) frame.setTheme(currentTheme());
  });
  preparePrinting(frames);
}

show(JSON.parse(byId('report').textContent) as PlanReport);
