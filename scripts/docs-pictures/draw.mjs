/** Draws graphs with ECharts, as one SVG that is readable on light and on dark pages. */
import * as echarts from 'echarts';

/** Grays with enough contrast to white and to black. */
const TEXT = '#767d86';
const LINE = '#8b949e55';
const COLORS = ['#2f81f7', '#2da44e', '#d1702c', '#a371f7', '#bf8700'];

const WIDTH = 1140;
const COLUMNS = 3;
const ROW = 230;

/** @param graphs of `{ title, unit, series: [{ name, values, threshold }] }` */
export function drawGraphs(graphs, { columns = COLUMNS, title }) {
  const height = 40 + ROW * Math.ceil(graphs.length / columns);
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  const cell = WIDTH / columns;
  const left = (index) => (index % columns) * cell + 62;
  const top = (index) => 40 + Math.floor(index / columns) * ROW;
  chart.setOption({
    animation: false,
    textStyle: { fontFamily: 'system-ui, sans-serif' },
    title: [
      { text: title, left: 'center', top: 2, textStyle: { color: TEXT, fontSize: 15 } },
      ...graphs.map((graph, index) => ({
        text: `${graph.title} (${graph.unit})`,
        left: left(index) - 50,
        top: top(index),
        textStyle: { color: TEXT, fontSize: 13, fontWeight: 600 },
      })),
    ],
    legend: graphs.map(({ series }, index) => ({
      data: series.map(({ name }) => legendName(index, name)),
      formatter: (name) => name.split('\n')[1],
      left: left(index) - 50,
      top: top(index) + 20,
      itemWidth: 14,
      itemHeight: 6,
      itemGap: 8,
      textStyle: { color: TEXT, fontSize: 11 },
    })),
    grid: graphs.map((_, index) => ({
      left: left(index),
      top: top(index) + 50,
      width: cell - 84,
      height: ROW - 96,
    })),
    xAxis: graphs.map((graph, index) => ({
      gridIndex: index,
      type: 'category',
      data: graph.series[0].values.map((_, round) => String(round + 1)),
      axisLabel: { color: TEXT, fontSize: 10 },
      axisLine: { lineStyle: { color: TEXT } },
    })),
    yAxis: graphs.map(({ unit }, index) => ({
      ...(unit === 'bytes' && { interval: 50 * 2 ** 20, max: 150 * 2 ** 20 }),
      gridIndex: index,
      min: 0,
      axisLabel: { color: TEXT, fontSize: 10, formatter: short },
      splitLine: { lineStyle: { color: LINE } },
      splitNumber: 3,
      minInterval: unit === 'ms' ? 0 : 1,
    })),
    series: graphs.flatMap(({ series }, index) =>
      series.map(({ name, values, threshold }, place) => ({
        name: legendName(index, name),
        type: 'line',
        xAxisIndex: index,
        yAxisIndex: index,
        data: values.map((value) => value ?? null),
        symbolSize: 4,
        itemStyle: { color: COLORS[place] },
        lineStyle: { color: COLORS[place] },
        ...(threshold !== undefined && {
          markLine: {
            silent: true,
            symbol: 'none',
            data: [{ yAxis: threshold }],
            lineStyle: { color: '#cf222e' },
            label: { formatter: `alarm: ${threshold}`, color: '#cf222e', position: 'insideEndTop' },
          },
        }),
      })),
    ),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

/** Series of different graphs may have one name, but a legend finds them by name. */
function legendName(index, name) {
  return `${index}\n${name}`;
}

function short(value) {
  return value >= 2 ** 20 ? `${Math.round(value / 2 ** 20)} MB` : String(value);
}
