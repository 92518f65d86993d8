import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { SlicedInferenceDashboard, Slicing } from '../../../lib';
import { addPipeline, errorOf, newApp, newStack } from '../../support/pipeline-stack';

describe('the dashboard', () => {
  test('refuses to show no pipelines', () => {
    expect(errorOf(() => new SlicedInferenceDashboard(newStack(), 'Dashboard', { pipelines: [] }))).toBe(
      'pipelines must be a list of 1 pipeline or more, got an empty list: pass [pipeline], for example',
    );
  });

  test('shows each pipeline in two rows of three graphs, and in three rows with sliceMetrics, with a line per slice', () => {
    const stack = newStack();
    const pipeline = addPipeline(stack, 'Pipeline', { slicing: Slicing.count(3) });
    const other = addPipeline(stack, 'Other', { sliceMetrics: true });
    new SlicedInferenceDashboard(stack, 'Dashboard', {
      pipelines: [pipeline, other],
      dashboardName: 'models',
    });
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::CloudWatch::Dashboard', { DashboardName: 'models' });
    const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
    const { 'Fn::Join': join } = (
      dashboard as { Properties: { DashboardBody: { 'Fn::Join': [string, unknown[]] } } }
    ).Properties.DashboardBody;
    const body = join[1].map((part) => (typeof part === 'string' ? part : 'token')).join('');
    const { widgets } = JSON.parse(body) as {
      widgets: { x: number; y: number; properties: { title: string; metrics: unknown[] } }[];
    };
    expect(
      widgets.map(({ properties, x, y }) => [properties.title, x, y, properties.metrics.length]),
    ).toEqual([
      ['Stack/Pipeline: runs', 0, 0, 4],
      ['Stack/Pipeline: time of a run', 8, 0, 3],
      ['Stack/Pipeline: p95 of calls', 16, 0, 3],
      ['Stack/Pipeline: calls', 0, 6, 3],
      ['Stack/Pipeline: failed calls', 8, 6, 3],
      ['Stack/Pipeline: calls without capacity', 16, 6, 3],
      ['Stack/Other: runs', 0, 12, 4],
      ['Stack/Other: time of a run', 8, 12, 3],
      ['Stack/Other: p95 of calls', 16, 12, 1],
      ['Stack/Other: calls', 0, 18, 1],
      ['Stack/Other: failed calls', 8, 18, 1],
      ['Stack/Other: calls without capacity', 16, 18, 1],
      ['Stack/Other: cold starts', 0, 24, 1],
      ["Stack/Other: p95 of ONNX Runtime's run", 8, 24, 1],
      ['Stack/Other: peak memory', 16, 24, 1],
    ]);
  });

  test('may be in another stack than its pipeline', () => {
    const app = newApp();
    const pipeline = addPipeline(new Stack(app, 'Stack'), 'Pipeline');
    const watching = new Stack(app, 'Watching');
    new SlicedInferenceDashboard(watching, 'Dashboard', { pipelines: [pipeline] });
    Template.fromStack(watching).resourceCountIs('AWS::CloudWatch::Dashboard', 1);
  });
});
