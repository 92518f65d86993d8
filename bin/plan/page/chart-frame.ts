/** Draws a chart with its legend: again for another theme or width, with tooltips for the pointer and the arrow keys. */
import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent } from 'echarts/components';
import { type EChartsType, init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import type { Chart, ChartItem, Facts, LegendEntry } from './charts/chart';
import { element, svgElement } from './dom';
import { figureText, visible } from '../figures';
import { type Theme, colorOf, dashOf, symbolOf } from './theme';

use([
  BarChart,
  CustomChart,
  LineChart,
  ScatterChart,
  GridComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TooltipComponent,
  CanvasRenderer,
]);

/** Width of the charts on paper, in CSS pixels: A4 and Letter without margins. */
const PAPER_WIDTH = 660;

export class ChartFrame {
  readonly element: HTMLElement;
  private readonly plot: HTMLElement;
  private legend: HTMLElement | undefined;
  private echarts: EChartsType | undefined;
  private stop = -1;

  constructor(
    private readonly chart: Chart,
    private theme: Theme,
    title: string | undefined,
  ) {
    this.plot = element('div', {
      class: 'plot',
      role: 'img',
      tabindex: '0',
      'aria-label': `${chart.label} The arrow keys move through it; the table below has the same numbers.`,
    });
    this.plot.style.height = `${chart.height}px`;
    this.element = element(
      'figure',
      {},
      ...(title === undefined ? [] : [element('figcaption', {}, title)]),
      this.plot,
    );
    this.plot.addEventListener('keydown', (event) => {
      this.onKey(event);
    });
    this.plot.addEventListener('blur', () => {
      this.echarts?.dispatchAction({ type: 'hideTip' });
    });
  }

  /** Draws the chart for the first time. Its element must be in the document, because its width decides the option. */
  start(): void {
    // ECharts' SVG renderer sets `style` attributes, which the page's content security policy forbids.
    this.echarts = init(this.plot, null, { renderer: 'canvas', height: this.chart.height });
    this.draw();
    new ResizeObserver(() => {
      this.resize(undefined);
    }).observe(this.plot);
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    this.draw();
  }

  /** @param isPaper whether the page is about to be printed */
  setPaper(isPaper: boolean): void {
    this.resize(isPaper ? PAPER_WIDTH : undefined);
  }

  private resize(width: number | undefined): void {
    const { echarts, plot } = this;
    const wanted = width ?? plot.clientWidth;
    if (echarts === undefined || wanted === 0 || wanted === echarts.getWidth()) return;
    echarts.resize({ width: wanted });
    this.draw();
  }

  private draw(): void {
    const { echarts, chart, theme } = this;
    if (echarts === undefined) return;
    const option = chart.option(theme, echarts.getWidth());
    const tooltip = {
      trigger: chart.trigger,
      confine: true,
      transitionDuration: 0,
      // Elements, not markup: a content security policy forbids the styles in ECharts' own markup.
      formatter: (params: unknown) => this.tip(params),
      backgroundColor: theme.surface,
      borderColor: theme.muted,
      textStyle: { color: theme.ink, fontSize: 13 },
      extraCssText: 'max-width: min(360px, 82vw); white-space: normal;',
    };
    echarts.setOption({ ...option, tooltip }, { notMerge: true });
    this.drawLegend();
  }

  private drawLegend(): void {
    const { chart, theme, plot } = this;
    this.legend?.remove();
    if (chart.legend.length === 0) return;
    this.legend = legendElement(chart.legend, theme);
    plot.before(this.legend);
  }

  private tip(params: unknown): HTMLElement {
    const item = (Array.isArray(params) ? params[0] : params) as ChartItem;
    const facts = this.chart.facts(item);
    return facts === undefined ? element('div') : factsElement(facts);
  }

  private onKey(event: KeyboardEvent): void {
    const { stops } = this.chart;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === 'Escape') this.echarts?.dispatchAction({ type: 'hideTip' });
    if (step === undefined || stops.length === 0) return;
    event.preventDefault();
    this.stop = (this.stop + step + stops.length) % stops.length;
    this.echarts?.dispatchAction({ type: 'showTip', ...stops[this.stop] });
    const facts = this.chart.facts(stops[this.stop]);
    if (facts !== undefined) announce(facts);
  }
}

function factsElement({ title, rows }: Facts): HTMLElement {
  const lines = rows.map(([label, figure]) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, element('bdi', {}, shortened(label))),
      element(
        'td',
        typeof figure === 'object' ? { class: 'number' } : {},
        element('bdi', {}, figureText(figure)),
      ),
    ),
  );
  return element(
    'div',
    { class: 'tip' },
    element('strong', {}, element('bdi', {}, shortened(title))),
    element('table', {}, element('tbody', {}, ...lines)),
  );
}

const LONGEST_NAME = 120;

function shortened(text: string): string {
  const shown = visible(text);
  return shown.length > LONGEST_NAME ? `${shown.slice(0, LONGEST_NAME - 1)}…` : shown;
}

/** Lets screen readers say what the arrow keys have reached. */
function announce({ title, rows }: Facts): void {
  const region = document.getElementById('announcement');
  const text = rows.map(([label, figure]) => `${shortened(label)} ${figureText(figure)}`).join(', ');
  if (region !== null) region.textContent = `${shortened(title)}: ${text}`;
}

/** A list, which wraps in a narrow window. */
function legendElement(entries: readonly LegendEntry[], theme: Theme): HTMLElement {
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
