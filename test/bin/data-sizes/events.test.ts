import { readRun } from '../../../bin/data-sizes/events';
import { NodeLabels } from '../../../bin/data-sizes/label-nodes';
import type { RunNode } from '../../../lib/shapes/data-sizes';
import { fileWith } from '../../support/changed-json';

/** Name, start and duration of a node, in microseconds, and the tensors that it computed. */
type Event = readonly [name: string, ts: number, dur: number, outputs?: readonly object[]];

const END = '{"cat" : "Session","dur" :1,"ts" :1,"name" :"model_run","args" : {}},';

/** A file as ONNX Runtime writes it: the events of a node's bodies come before the event of the node. */
function written(events: readonly Event[], end: readonly string[] = [END]): string {
  const lines = events.map(([name, ts, dur, outputs = []]) => {
    const args = JSON.stringify({ output_type_shape: outputs });
    return `{"cat" : "Node","ts" :${ts},"dur" :${dur},"name" :"${name}_kernel_time","args" : ${args}},`;
  });
  return fileWith(['[', ...lines, ...end, ']'].join('\n'));
}

/** The nodes with the label `m`. */
async function read(...events: readonly Event[]): Promise<Record<number, RunNode>> {
  return Object.fromEntries((await readRun(written(events), new NodeLabels('m'))) ?? []);
}

describe('readRun', () => {
  it('finds nothing if the profiler did not record the end of the run', async () => {
    const events: readonly Event[] = [['m:0', 10, 5]];
    expect(await readRun(written(events, []), new NodeLabels('m'))).toBeUndefined();
    expect((await readRun(written(events), new NodeLabels('m')))?.size).toBe(1);
  });

  it('counts the nodes of bodies that ran with their node', async () => {
    const passes = [1, 3, 5].map((ts): Event => ['twice', ts, 1]);
    expect(await read(...passes, ['once', 7, 1], ['m:2', 0, 10], ['m:3', 12, 1])).toMatchObject({
      2: { body: [{ count: 3 }, { count: 1 }] },
      3: { body: [] },
    });
  });

  it('leaves out nodes of local functions and of other labels, with the bodies inside them', async () => {
    const found = await read(['m:0', 10, 5], ['of a function', 15, 4], ['body', 21, 2], ['n:1', 20, 6]);
    expect(found).toEqual({ 0: { tensors: [], body: [] } });
  });

  it("reads the tensors of a node under this library's names of types", async () => {
    const outputs = [{ float: [1, 2] }, { int64: [] }, { double: [3] }];
    expect((await read(['m:1', 10, 5, outputs]))[1].tensors).toEqual([
      { dtype: 'float32', shape: [1, 2] },
      { dtype: 'int64', shape: [] },
      { dtype: 'float64', shape: [3] },
    ]);
  });
});
