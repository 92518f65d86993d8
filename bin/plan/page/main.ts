/** The page of `--report`: shows the report that is embedded in it. */
import type { PlanReport } from '../plan-report';
import { type Figure, figureText, visible } from '../figures';
import { byId, element, tableCell } from './dom';
import { chartElement } from './draw-chart';
import { type Section, sectionsOf } from './sections';
import type { Table } from './tables';

function showHead(report: PlanReport): void {
  const { model, verdict, warnings } = report;
  document.title = `Plan of ${visible(model.file)}`;
  byId('model').append(visible(model.file));
  byId('verdict').append(...verdict.map((sentence) => element('p', {}, visible(sentence))));
  byId('warnings').append(...warnings.map((warning) => element('li', {}, visible(warning))));
  byId('warnings-block').hidden = warnings.length === 0;
}

function sectionElement({ id, title, text, chart, tables, notes, folded }: Section): HTMLElement {
  return element(
    'section',
    { id, 'aria-labelledby': `${id}-title` },
    element('h2', { id: `${id}-title` }, title),
    element('p', {}, text),
    ...(chart ? [chartElement(chart)] : []),
    ...tables.map(tableElement),
    ...notes.map(({ name, sentences }) =>
      element(
        'dl',
        {},
        element('dt', {}, visible(name)),
        ...sentences.map((sentence) => element('dd', {}, visible(sentence))),
      ),
    ),
    ...folded.map((table) =>
      element('details', {}, element('summary', {}, `Table: ${table.caption}`), tableElement(table)),
    ),
  );
}

/** It scrolls sideways in a narrow window. */
function tableElement({ caption, head, rows, foot = [] }: Table): HTMLElement {
  const all = [...rows, ...foot];
  const classOf = head.map((_, column) => ({
    class: all.some((row) => typeof row.at(column) === 'object') ? 'number' : 'text',
  }));
  const cell = (figure: Figure, column: number): HTMLElement =>
    column === 0
      ? tableCell('th', figureText(figure), { scope: 'row', ...classOf[column] })
      : tableCell('td', figureText(figure), classOf[column]);
  const line = (row: readonly Figure[]): HTMLElement => element('tr', {}, ...row.map(cell));
  const headings = head.map((name, column) => element('th', { scope: 'col', ...classOf[column] }, name));
  return element(
    'figure',
    { 'aria-label': caption, tabindex: '0' },
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

function show(report: PlanReport): void {
  showHead(report);
  const sections = sectionsOf(report);
  byId('sections').append(...sections.map(sectionElement));
  byId('contents').append(
    ...sections.map(({ id, title }) => element('li', {}, element('a', { href: `#${id}` }, title))),
  );
}

show(JSON.parse(byId('report').textContent) as PlanReport);
