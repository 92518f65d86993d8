import { describeReport } from '../../../bin/plan/describe-report';
import { count } from '../../../lib/plan/slicers';
import { analyzeFast } from '../../support/inference/fast-analysis';
import { mlp, saveModel } from '../../support/model-builder';
import { realReport } from '../../support/real-report';

analyzeFast();

test('the report in a terminal has the price and the time of the pipeline with consolidation', () => {
  const report = realReport(saveModel(mlp(4)), count(2), {}, {}, 'always');
  const run = { dollarsPerMillion: 58.7, p50: 1_610, p95: 2_100 };
  const consolidation = { memoryMb: 1_024, fileBytes: 1, run: { warm: run, mixed: run, cold: run } };
  const text = describeReport({ ...report, consolidation }).replaceAll('\n  ', ' ');
  expect(text).toContain('price: $58.70 warm, $58.70 mixed, $58.70 cold a million runs; $');
  expect(text).toContain('time: 1.61 s warm, 1.61 s mixed, 1.61 s cold (p50); 2.1 s, 2.1 s, 2.1 s (p95)');
  expect(text).toContain('whole model: a function of 1,024 MB serves the runs that find it warm');
});
