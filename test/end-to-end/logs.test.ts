/** What the logs of runs say: whose line each is. */
import { Slicing } from '../../lib';
import type { LocalCloud } from '../../local';
import { deploy, requestOf, rows } from '../support/deployed-pipeline';
import { mlp, saveModel } from '../support/model-builder';
import { until } from '../support/until';

const SLICES = 3;
const RUNS = 2;
const props = { slicing: Slicing.count(SLICES), dimensions: { batch: 1 } };
const model = saveModel(mlp(4));

describe('the log of two runs and a failed one', () => {
  let cloud: LocalCloud;
  const executions: string[] = [];
  beforeAll(async () => {
    cloud = await deploy(model, { ...props, tensorsInState: false });
    for (const request of [requestOf(rows(1, 1)), requestOf(rows(1, 2)), requestOf(new Map())])
      executions.push((await cloud.execute(request)).executionArn);
    // The warm-ups of the failed execution may still run: they are all calls but that of the first slice.
    await until('each call has its report', () => {
      const reports = [...cloud.logs().values()].join('').match(/^REPORT /gm) ?? [];
      return reports.length === (2 * SLICES - 1) * RUNS + SLICES;
    });
  });

  function lines(): Record<string, unknown>[] {
    return [...cloud.logs().values()]
      .flatMap((text) => text.split('\n'))
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  it('has a line for each call, warm-up and failure, which names its execution and its slice', () => {
    const messages = lines().map(({ message }) => message);
    expect(new Set(messages)).toEqual(new Set(['slice ran', 'slice is warm', 'slice failed']));
    for (const line of lines()) {
      expect(executions).toContain(line.executionArn);
      expect(line).toMatchObject({
        run: String(line.executionArn).split(':').slice(-2).join('/'),
        slice: expect.any(Number) as number,
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      });
    }
  });

  it('has one trace for all calls of an execution, and another one for each execution', () => {
    const traces = executions.map((execution) => [
      ...new Set(lines().flatMap((line) => (line.executionArn === execution ? [line.traceId] : []))),
    ]);
    for (const own of traces) expect(own).toEqual([expect.stringMatching(/^1-[0-9a-f]{8}-[0-9a-f]{24}$/)]);
    expect(new Set(traces.flat()).size).toBe(executions.length);
  });

  it('has no values of tensors', () => {
    const [x] = [...rows(1, 1).values()];
    const [first] = new Float32Array(('bytes' in x ? x.bytes : new Uint8Array(4)).slice().buffer);
    expect(JSON.stringify(lines())).not.toContain(String(first).slice(0, 6));
  });
});
