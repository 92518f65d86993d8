/**
 * Draws the dashboard and the alarms of docs/operations.md with ECharts, as SVGs that are readable on light and on dark pages: the graphs come
 * from the synthesized SlicedInferenceDashboard and SlicedInferenceAlarms, the numbers from rounds of runs in the local cloud. Times are
 * those of the machine that draws.
 */
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as echarts from 'echarts';

const require = createRequire(import.meta.url);
const { App, Duration, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const {
  SlicedInferenceAlarms,
  SlicedInferenceDashboard,
  SlicedInferencePipeline,
  Slicing,
} = require('../dist/lib');
const { LocalCloud } = require('../dist/local/index.js');
const { inputRows, writeModel } = require('../dist/test/integ/model.js');

const DOCS = fileURLToPath(new URL('../docs', import.meta.url));

/** Runs of each round, how many of them have a wrong request, and the share of new connections that Lambda refuses. */
const ROUNDS = [
  ...[{ runs: 3 }, { runs: 5 }, { runs: 6 }, { runs: 8 }, { runs: 8, wrong: 2 }, { runs: 10 }],
  ...[
    { runs: 12, throttled: 0.15 },
    { runs: 12, throttled: 0.15 },
  ],
  ...[{ runs: 9 }, { runs: 6 }, { runs: 5, wrong: 1 }, { runs: 4 }],
];

/** Grays with enough contrast to white and to black. */
const TEXT = '#767d86';
const LINE = '#8b949e55';
const ALARM = '#cf222e';
const COLORS = ['#2f81f7', '#2da44e', '#d1702c', '#a371f7', '#bf8700'];

const WIDTH = 1140;
const ROW = 230;

const outdir = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-pictures-'));
try {
  const resources = synthesize();
  const rounds = await record();
  const ofType = (type) => Object.values(resources).filter(({ Type }) => Type === `AWS::CloudWatch::${type}`);
  const [{ Properties: dashboard }] = ofType('Dashboard');
  const graphs = bodyOf(dashboard).widgets.map(({ properties: { title, yAxis, metrics } }) => ({
    title,
    unit: yAxis.left.label,
    // A metric is a list: namespace, name, pairs of dimensions, options.
    series: metrics.map(([, name, , dimension, ...rest]) => {
      const { label, stat = 'Average' } = rest.at(-1) ?? {};
      return { name: label, values: valuesOf(rounds, name, dimension, stat) };
    }),
  }));
  const alarms = ofType('Alarm').map(({ Properties: alarm }) => {
    const stat = alarm.ExtendedStatistic ?? alarm.Statistic;
    const values = valuesOf(rounds, alarm.MetricName, '', stat);
    return {
      title: alarm.AlarmDescription,
      unit: alarm.MetricName === 'ExecutionTime' ? 'ms' : 'runs',
      series: [{ name: `${alarm.MetricName} (${stat})`, values, threshold: alarm.Threshold }],
    };
  });
  draw('dashboard.svg', 'Ocr/Model: twelve rounds of runs in the local cloud', graphs, 3);
  draw('alarms.svg', 'Ocr/Model: what the alarms watch, in the same rounds', alarms, 2);
} finally {
  fs.rmSync(outdir, { recursive: true, force: true });
}

function synthesize() {
  const app = new App({ analyticsReporting: false, outdir });
  const stack = new Stack(app, 'Ocr');
  const pipeline = new SlicedInferencePipeline(stack, 'Model', {
    modelPath: writeModel(),
    slicing: Slicing.count(3),
    dimensions: { batch: 1 },
    sliceMetrics: true,
    architecture: process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
  });
  new SlicedInferenceDashboard(stack, 'Dashboard', { pipelines: [pipeline] });
  new SlicedInferenceAlarms(stack, 'Alarms', { pipeline, maxTime: Duration.millis(400) });
  return app.synth().getStackByName('Ocr').template.Resources;
}

function bodyOf({ DashboardBody }) {
  const [separator, parts] = DashboardBody['Fn::Join'];
  return JSON.parse(
    parts.map((part) => (typeof part === 'string' ? part : (part.Ref ?? 'token'))).join(separator),
  );
}

/** @returns by round what CloudWatch would count: values by the name of a metric and that of a function, or '' */
async function record() {
  let lines = [];
  let events = [];
  const cloud = await LocalCloud.start(outdir, {
    onLog: (functionName, line) => lines.push({ functionName, line }),
    onTrace: (event) => events.push(event),
    retryPauses: 0.02,
  });
  try {
    const rounds = [];
    for (const [index, { runs, wrong = 0, throttled }] of ROUNDS.entries()) {
      [lines, events] = [[], []];
      cloud.injectFaults(throttled && { seed: index, rates: { throttled } });
      const values = new Map();
      await Promise.all(Array.from({ length: runs }, (_, run) => execute(cloud, run < wrong, values)));
      addCalls(values, lines);
      addThrottles(values, events, cloud);
      rounds.push(values);
    }
    return rounds;
  } finally {
    await cloud.close();
  }
}

function push(values, key, value) {
  values.set(key, [...(values.get(key) ?? []), value]);
}

async function execute(cloud, isWrong, values) {
  const start = performance.now();
  const tensors = isWrong ? {} : { x: inputRows(1) };
  const { status } = await cloud.execute({ version: 1, inputs: { tensors } });
  push(values, 'ExecutionTime ', performance.now() - start);
  push(values, 'ExecutionsStarted ', 1);
  for (const [name, ending] of [
    ['ExecutionsSucceeded ', 'SUCCEEDED'],
    ['ExecutionsFailed ', 'FAILED'],
    ['ExecutionsTimedOut ', 'TIMED_OUT'],
  ])
    push(values, name, Number(status === ending));
}

function addCalls(values, lines) {
  for (const { functionName, line } of lines) {
    const duration = /^REPORT .*\tDuration: (\S+) ms/.exec(line)?.[1];
    if (duration !== undefined) {
      push(values, `Duration ${functionName}`, Number(duration));
      push(values, `Invocations ${functionName}`, 1);
    }
    const fields = line.startsWith('{') ? JSON.parse(line) : {};
    if (fields.message === 'slice failed') push(values, `Errors ${functionName}`, 1);
    if (fields.message !== 'slice ran') continue;
    for (const name of ['coldStarts', 'runMs', 'peakMemoryBytes'])
      push(values, `${name} ${functionName}`, fields[name]);
  }
}

/** The name of a function that was throttled is in the name of its state only. */
function addThrottles(values, events, cloud) {
  for (const { type, state, error } of events) {
    if (type !== 'TaskFailed' || error !== 'Lambda.TooManyRequestsException') continue;
    const number = /(\d\d)$/.exec(state)?.[1];
    const functionName = [...cloud.logs().keys()].find((name) => name.includes(`slice${number}`));
    if (functionName !== undefined) push(values, `Throttles ${functionName}`, 1);
  }
}

/** By round: a statistic of CloudWatch. A physical name in the local cloud begins with the stack's name and contains the logical id. */
function valuesOf(rounds, name, logicalId, stat) {
  return rounds.map((values) => {
    const key = [...values.keys()].find(
      (own) => own.startsWith(`${name} `) && (own === `${name} ` || own.includes(logicalId)),
    );
    return statistic(stat, values.get(key));
  });
}

function statistic(stat, values = []) {
  const sum = values.reduce((total, value) => total + value, 0);
  if (stat === 'Sum') return sum;
  if (values.length === 0) return null;
  if (stat === 'Average') return sum / values.length;
  const sorted = [...values].sort((a, b) => a - b);
  if (stat === 'Maximum') return sorted.at(-1);
  return sorted[Math.ceil((Number(stat.slice(1)) / 100) * sorted.length) - 1];
}

/** @param graphs of `{ title, unit, series: [{ name, values, threshold }] }` */
function draw(file, title, graphs, columns) {
  const height = 40 + ROW * Math.ceil(graphs.length / columns);
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  const cell = WIDTH / columns;
  const left = (index) => (index % columns) * cell + 62;
  const top = (index) => 40 + Math.floor(index / columns) * ROW;
  // Series of different graphs may have one name, but a legend finds them by name.
  const legendName = (index, name) => `${index}\n${name}`;
  chart.setOption({
    animation: false,
    textStyle: { fontFamily: 'system-ui, sans-serif' },
    title: [
      { text: title, left: 'center', top: 2, textStyle: { color: TEXT, fontSize: 15 } },
      ...graphs.map((graph, index) => ({
        text: `${graph.title.replace('Ocr/Model: ', '')} (${graph.unit})`,
        ...{ left: left(index) - 50, top: top(index) },
        textStyle: { color: TEXT, fontSize: 13, fontWeight: 600 },
      })),
    ],
    legend: graphs.map(({ series }, index) => ({
      data: series.map(({ name }) => legendName(index, name)),
      formatter: (name) => name.split('\n')[1],
      ...{ left: left(index) - 50, top: top(index) + 20, itemWidth: 14, itemHeight: 6, itemGap: 8 },
      textStyle: { color: TEXT, fontSize: 11 },
    })),
    grid: graphs.map((_, index) => ({
      ...{ left: left(index), top: top(index) + 50, width: cell - 84, height: ROW - 96 },
    })),
    xAxis: graphs.map((_, gridIndex) => ({
      ...{ gridIndex, type: 'category', data: ROUNDS.map((_, round) => String(round + 1)) },
      axisLabel: { color: TEXT, fontSize: 10 },
      axisLine: { lineStyle: { color: TEXT } },
    })),
    yAxis: graphs.map(({ unit }, gridIndex) => ({
      ...{ gridIndex, min: 0, splitNumber: 3, minInterval: unit === 'ms' ? 0 : 1 },
      ...(unit === 'bytes' && { interval: 50 * 2 ** 20, max: 150 * 2 ** 20 }),
      axisLabel: {
        ...{ color: TEXT, fontSize: 10 },
        formatter: (value) => (value >= 2 ** 20 ? `${Math.round(value / 2 ** 20)} MB` : String(value)),
      },
      splitLine: { lineStyle: { color: LINE } },
    })),
    series: graphs.flatMap(({ series }, index) =>
      series.map(({ name, values, threshold }, place) => ({
        ...{ name: legendName(index, name), type: 'line', xAxisIndex: index, yAxisIndex: index },
        ...{ data: values, symbolSize: 4 },
        ...{ itemStyle: { color: COLORS[place] }, lineStyle: { color: COLORS[place] } },
        ...(threshold !== undefined && {
          markLine: {
            ...{ silent: true, symbol: 'none', data: [{ yAxis: threshold }], lineStyle: { color: ALARM } },
            label: { formatter: `alarm: ${threshold}`, color: ALARM, position: 'insideEndTop' },
          },
        }),
      })),
    ),
  });
  fs.writeFileSync(path.join(DOCS, file), chart.renderToSVGString());
  chart.dispose();
}
