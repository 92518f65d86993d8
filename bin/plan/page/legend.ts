/** Makes the legend of a chart as a list, which wraps in a narrow window. */
import type { LegendEntry } from './charts/chart';
import { element, svgElement } from './dom';
import { visible } from '../figures';
import { type Theme, colorOf, dashOf, symbolOf } from './theme';

export function legendElement(entries: readonly LegendEntry[], theme: Theme): HTMLElement {
  return element(
    'ul',
    { class: 'legend' },
    ...entries.map((entry) =>
      element('li', {}, mark(entry, theme), element('bdi', {}, visible(entry.label))),
    ),
  );
}

function mark({ mark: kind, series }: LegendEntry, theme: Theme): SVGElement {
  const color = series === 'accent' ? theme.accent : colorOf(theme, series);
  const index = series === 'accent' ? 3 : series;
  const shapes = {
    area: () => [svgElement('rect', { x: 7, y: 1, width: 14, height: 14, rx: 2, fill: color })],
    outline: () => [
      svgElement('rect', { x: 7.5, y: 1.5, width: 13, height: 13, rx: 2, fill: 'none', stroke: theme.muted }),
    ],
    line: () => [
      svgElement('path', {
        d: 'M0 8H28',
        stroke: color,
        'stroke-width': 2,
        'stroke-dasharray': dashOf(index).join(' '),
      }),
      symbol(symbolOf(index), color),
    ],
    point: () => [symbol(symbolOf(index), color)],
  };
  return svgElement(
    'svg',
    { viewBox: '0 0 28 16', width: 28, height: 16, 'aria-hidden': 'true' },
    ...shapes[kind](),
  );
}

function symbol(name: ReturnType<typeof symbolOf>, color: string): SVGElement {
  switch (name) {
    case 'circle':
      return svgElement('circle', { cx: 14, cy: 8, r: 4, fill: color });
    case 'rect':
      return svgElement('rect', { x: 10, y: 4, width: 8, height: 8, fill: color });
    case 'triangle':
      return svgElement('path', { d: 'M14 3l5 9h-10z', fill: color });
    case 'diamond':
      return svgElement('path', { d: 'M14 2l6 6-6 6-6-6z', fill: color });
  }
}
