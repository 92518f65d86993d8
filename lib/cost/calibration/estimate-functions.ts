/** The init phase of functions, and Lambda's runtime client. */
import { median } from '../../compute-time/profile/quantiles';
import { type Estimator, MIN_SAMPLES } from './estimator';

/** The init phase: Node.js, the handler, ONNX Runtime's library. */
export function estimateInit(estimator: Estimator): void {
  const { samples, options, environment } = estimator;
  const { runtimeLoadMs } = environment.lambda;
  const name = options.architecture === 'arm64' ? 'armInitMs' : 'x86InitMs';
  const inits = samples.reports.flatMap(({ initMs }) => (initMs === undefined ? [] : [initMs]));
  estimator.estimate('lambda', name, inits, 'cold starts', (all) => Math.max(0, median(all) - runtimeLoadMs));
  // What the library takes is part of the init phase, and cannot take longer than the whole.
  if (inits.length >= MIN_SAMPLES && median(inits) < runtimeLoadMs) {
    estimator.estimate('lambda', 'runtimeLoadMs', inits, 'cold starts', median);
  }
}

/** What a call takes beyond what the handler measures. */
export function estimateClient(estimator: Estimator): void {
  const { calls, warmUps } = estimator.samples;
  const overheads = calls.flatMap((call) => {
    const { report, cold, readMs, runMs, writeMs } = call;
    if (report === undefined || cold) return [];
    return [Math.max(0, report.durationMs - readMs - runMs - writeMs) * estimator.shareOf(call)];
  });
  estimator.estimate('handler', 'callCpuMs', overheads, 'warm calls with a REPORT line', median);
  const warm = warmUps.flatMap(({ cold, report, slice }) =>
    cold || report === undefined ? [] : [report.durationMs * estimator.shareOf({ slice, report })],
  );
  estimator.estimate('handler', 'warmUpCpuMs', warm, 'warm-ups of warm functions with a REPORT line', median);
}
