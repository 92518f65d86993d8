/** The timeline of a run: one row for each slice, one bar for each thing that it does. */
import type { CustomSeriesOption } from 'echarts/charts';
import { TIME_UNITS, quantity, unitFor } from '../../figures';
import type { SpanKind, TimelineSpan } from '../../plan-report';
import { type Theme, colorOf } from '../theme';
import { type Chart, gridChart, largest, linearAxis, nameBelow, rowAxis } from './chart';

/** A function that waits does nothing, so its bar is empty. */
const WAIT: SpanKind = 'wait';

const KINDS: Readonly<Record<SpanKind, { readonly label: string; readonly series: number }>> = {
  start: { label: 'starts', series: 6 },
  load: { label: 'loads weights', series: 0 },
  wait: { label: 'waits for its turn', series: 5 },
  transition: { label: 'changes state', series: 4 },
  read: { label: 'reads tensors', series: 2 },
  run: { label: 'computes', series: 1 },
  write: { label: 'writes tensors', series: 3 },
};

/** Pixels for the names of the rows. */
const LEFT = 106;
const ROW_HEIGHT = 24;
const BAR_HEIGHT = 14;
const SMALLEST_BAR = 1.5;

export function timelineChart(temperature: 'warm' | 'cold', spans: readonly TimelineSpan[]): Chart {
  const rows = [...new Set(spans.map(({ row }) => row))];
  const max = largest(spans.map(({ endMs }) => endMs));
  const unit = unitFor(max, TIME_UNITS);
  const kinds = (Object.keys(KINDS) as SpanKind[]).filter((kind) => spans.some((span) => span.kind === kind));
  return gridChart({
    label: `What each slice does during a ${temperature} run, over time.`,
    height: rows.length * ROW_HEIGHT + 72,
    legend: kinds.map((kind) => ({ ...KINDS[kind], mark: kind === WAIT ? 'outline' : 'area' })),
    margins: () => ({ left: LEFT, right: 20, top: 8, bottom: 50 }),
    xAxis: (theme) => ({
      ...linearAxis(theme, max, unit),
      ...nameBelow(`time since the start of the run, ${unit.name}`),
    }),
    yAxis: (theme) =>
      rowAxis(theme, rows, { fontSize: 12, interval: 0, width: LEFT - 10, overflow: 'truncate' }),
    series: (theme) => [
      {
        type: 'custom',
        renderItem: renderBar(theme),
        encode: { x: [1, 2], y: 0 },
        data: spans.map(({ row, kind, startMs, endMs }) => ({
          value: [rows.indexOf(row), startMs, endMs, kind === WAIT ? 1 : 0],
          itemStyle: { color: colorOf(theme, KINDS[kind].series) },
        })),
      },
    ],
    facts: ({ dataIndex }) => {
      const span = spans.at(dataIndex);
      return (
        span && {
          title: `${span.row} ${KINDS[span.kind].label}`,
          rows: [
            ['from', quantity('milliseconds', span.startMs)],
            ['to', quantity('milliseconds', span.endMs)],
          ],
        }
      );
    },
    stops: spans.map((_, dataIndex) => ({ seriesIndex: 0, dataIndex })),
  });
}

function renderBar(theme: Theme): NonNullable<CustomSeriesOption['renderItem']> {
  return (_, api) => {
    const [x, middle] = api.coord([api.value(1), api.value(0)]);
    const [end] = api.coord([api.value(2), api.value(0)]);
    const width = Math.max(SMALLEST_BAR, end - x);
    return {
      type: 'rect',
      shape: { x, y: middle - BAR_HEIGHT / 2, width, height: BAR_HEIGHT },
      style:
        api.value(3) === 1
          ? { fill: 'transparent', stroke: theme.muted, lineWidth: 1 }
          : { fill: api.visual('color') as string, stroke: theme.surface, lineWidth: 0.5 },
    };
  };
}
