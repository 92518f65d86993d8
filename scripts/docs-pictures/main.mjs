/**
 * Draws the dashboard and the alarms of docs/operations.md: the graphs come from the synthesized SlicedInferenceDashboard and
 * SlicedInferenceAlarms, the numbers from runs in the local cloud. Times are those of the machine that draws.
 */
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as os from 'node:os';
import * as path from 'node:path';
import { drawGraphs } from './draw.mjs';
import { record, statistic } from './record.mjs';

const require = createRequire(import.meta.url);
const { App, Duration, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const {
  SlicedInferenceAlarms,
  SlicedInferenceDashboard,
  SlicedInferencePipeline,
  Slicing,
} = require('../../dist/lib');
const { inputRows, writeModel } = require('../../dist/test/integ/model.js');

const DOCS = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../../docs');

function synthesize(outdir) {
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
  const { directory } = app.synth();
  return { directory, resources: app.synth().getStackByName('Ocr').template.Resources };
}

/** The body of the dashboard as JSON. References become logical ids. */
function bodyOf(resources) {
  const { DashboardBody } = Object.values(resources).find(
    ({ Type }) => Type === 'AWS::CloudWatch::Dashboard',
  ).Properties;
  const [separator, parts] = DashboardBody['Fn::Join'];
  return JSON.parse(
    parts.map((part) => (typeof part === 'string' ? part : (part.Ref ?? 'token'))).join(separator),
  );
}

/** A metric of a dashboard is a list: namespace, name, pairs of dimensions, options. */
function seriesOf(metrics, rounds) {
  return metrics.map(([, name, , dimension, ...rest]) => {
    const { label, stat } = rest.at(-1) ?? {};
    return {
      name: label,
      values: rounds.map((values) => statistic(stat ?? 'Average', find(values, name, dimension))),
    };
  });
}

/** A physical name in the local cloud begins with the stack's name and contains the logical id. */
function find(values, name, logicalId) {
  const key = [...values.keys()].find(
    (own) => own.startsWith(`${name} `) && (own === `${name} ` || own.includes(logicalId)),
  );
  return key === undefined ? undefined : values.get(key);
}

const outdir = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-pictures-'));
try {
  const { directory, resources } = synthesize(outdir);
  const request = { version: 1, inputs: { tensors: { x: inputRows(1) } } };
  const rounds = await record(directory, request);
  const graphs = bodyOf(resources).widgets.map(({ properties }) => ({
    title: properties.title.replace('Ocr/Model: ', ''),
    unit: properties.yAxis.left.label,
    series: seriesOf(properties.metrics, rounds),
  }));
  const dashboard = drawGraphs(graphs, { title: 'Ocr/Model: twelve rounds of runs in the local cloud' });
  fs.writeFileSync(path.join(DOCS, 'dashboard.svg'), dashboard);

  const alarms = Object.values(resources).filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
  const alarmGraphs = alarms.map(
    ({ Properties: { AlarmDescription, MetricName, Threshold, ExtendedStatistic, Statistic } }) => ({
      title: AlarmDescription.replace('Ocr/Model: ', ''),
      unit: MetricName === 'ExecutionTime' ? 'ms' : 'runs',
      series: [
        {
          name: `${MetricName} (${ExtendedStatistic ?? Statistic})`,
          values: rounds.map((values) =>
            statistic(ExtendedStatistic ?? Statistic, find(values, MetricName, '')),
          ),
          threshold: Threshold,
        },
      ],
    }),
  );
  fs.writeFileSync(
    path.join(DOCS, 'alarms.svg'),
    drawGraphs(alarmGraphs, { columns: 2, title: 'Ocr/Model: what the alarms watch, in the same rounds' }),
  );
} finally {
  fs.rmSync(outdir, { recursive: true, force: true });
}
