/** The page of `--report`: one file without scripts, whose content security policy allows its styles and nothing else. */
import { createHash } from 'node:crypto';
import { type Figure, figureText } from '../figures';
import type { PlanReport } from '../plan-report';
import { type Markup, element, escapedText } from './markup';
import { type Section, sectionsOf } from './sections';
import { STYLE } from './style';
import type { Table } from './tables';

const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;

const FOOTER = 'Prices and times are modeled from the assumptions; nothing was billed.';

export function pageOf(report: PlanReport): string {
  const { model, verdict, warnings } = report;
  const sections = sectionsOf(report);
  const links = sections.map(({ id, title }) => element('li', {}, element('a', { href: `#${id}` }, title)));
  const body = element(
    'body',
    {},
    element('h1', {}, 'Plan of ', element('bdi', {}, model.file)),
    ...paragraphs(verdict),
    ...(warnings.length === 0 ? [] : [element('h2', {}, 'Warnings'), list(warnings)]),
    element('nav', {}, element('ul', {}, ...links)),
    ...sections.map(sectionElement),
    ...paragraphs([FOOTER]),
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Plan of ${escapedText(model.file)}</title>
<style>${STYLE}</style>
</head>
${body.html}
</html>
`;
}

function paragraphs(sentences: readonly string[]): Markup[] {
  return sentences.map((sentence) => element('p', {}, sentence));
}

function list(sentences: readonly string[]): Markup {
  return element('ul', {}, ...sentences.map((sentence) => element('li', {}, sentence)));
}

function sectionElement({ id, title, text, tables, notes }: Section): Markup {
  return element(
    'section',
    { id },
    element('h2', {}, title),
    ...paragraphs([text]),
    ...tables.map(tableElement),
    ...notes.flatMap(({ name, sentences }) => [element('h3', {}, name), list(sentences)]),
  );
}

/** Text of cells is isolated, so that a name in another direction does not reorder the words around it. */
function tableElement({ caption, head, rows, foot = [] }: Table): Markup {
  const line = (row: readonly Figure[]): Markup => element('tr', {}, ...row.map(cell));
  return element(
    'table',
    {},
    element('caption', {}, caption),
    element('thead', {}, element('tr', {}, ...head.map((name) => element('th', { scope: 'col' }, name)))),
    element('tbody', {}, ...rows.map(line)),
    element('tfoot', {}, ...foot.map(line)),
  );
}

function cell(figure: Figure, column: number): Markup {
  const kind = { class: typeof figure === 'object' ? 'number' : 'text' };
  const text = element('bdi', {}, figureText(figure));
  return column === 0 ? element('th', { scope: 'row', ...kind }, text) : element('td', kind, text);
}
