/** Draws charts with ECharts, again for another width, with a tooltip for what the pointer is at. */
import { CustomChart, LineChart } from 'echarts/charts';
import { GridComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent } from 'echarts/components';
import { type EChartsType, init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { figureText, visible } from '../figures';
import type { Chart, Facts } from './chart';
import { element, tableCell } from './dom';
import { THEME } from './theme';

use([
  ...[CustomChart, LineChart, CanvasRenderer],
  ...[GridComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent],
]);

export function chartElement(chart: Chart): HTMLElement {
  const label = `${chart.label} A table below has the same numbers.`;
  const plot = element('div', { class: 'plot', role: 'img', 'aria-label': label });
  plot.style.height = `${chart.height}px`;
  let echarts: EChartsType | undefined;
  const draw = (): void => {
    const width = plot.clientWidth;
    if (width === 0) return;
    // ECharts' SVG renderer sets `style` attributes, which the page's content security policy forbids.
    echarts ??= init(plot, null, { renderer: 'canvas', height: chart.height });
    echarts.resize({ width });
    echarts.setOption({ ...chart.option(width), tooltip: tooltip(chart) }, { notMerge: true });
  };
  // Called for the first time when the element is in the document: its width decides the option.
  new ResizeObserver(draw).observe(plot);
  return plot;
}

function tooltip({ facts }: Chart): object {
  const { surface, muted, ink } = THEME;
  return {
    ...{ trigger: 'axis', confine: true, transitionDuration: 0 },
    ...{ backgroundColor: surface, borderColor: muted, textStyle: { color: ink, fontSize: 13 } },
    extraCssText: 'max-width: min(360px, 82vw); white-space: normal;',
    // Elements, not markup: a content security policy forbids the styles in ECharts' own markup.
    formatter: ([{ dataIndex }]: readonly { readonly dataIndex: number }[]) => tip(facts[dataIndex]),
  };
}

const LONGEST_NAME = 120;

function tip({ title, rows }: Facts): HTMLElement {
  const lines = rows.map(([label, figure]) =>
    element('tr', {}, element('th', { scope: 'row' }, label), tableCell('td', figureText(figure))),
  );
  const name = visible(title);
  const shown = name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;
  return element(
    'div',
    { class: 'tip' },
    element('strong', {}, element('bdi', {}, shown)),
    element('table', {}, element('tbody', {}, ...lines)),
  );
}
