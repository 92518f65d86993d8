import { readEvents, type SliceEvents } from '../../../bin/profile/events';
import { NodeLabels } from '../../../bin/profile/label-nodes';
import { fileWith } from '../../support/changed-json';

/** Name, start and duration of a node, in microseconds, and the tensors that it computed. */
type Event = readonly [name: string, ts: number, dur: number, outputs?: readonly object[]];

/** Reads a file as ONNX Runtime writes it: the events of a node's bodies come before the event of the node. */
function read(...runs: readonly (readonly Event[])[]): Promise<SliceEvents> {
  return readEvents(written(...runs), new NodeLabels('m'));
}

function written(...runs: readonly (readonly Event[])[]): string {
  const lines = runs.flatMap((events) => [
    ...events.map(([name, ts, dur, outputs = []]) => {
      const args = JSON.stringify({ output_type_shape: outputs });
      return `{"cat" : "Node","ts" :${ts},"dur" :${dur},"name" :"${name}_kernel_time","args" : ${args}},`;
    }),
    '{"cat" : "Session","dur" :1,"ts" :1,"name" :"model_run","args" : {}},',
  ]);
  return fileWith(['[', ...lines, ']'].join('\n'));
}

/** The first run does not count. */
const after = (...events: readonly Event[]): Promise<SliceEvents> => read([['m:0', 0, 1000]], events);

describe('readEvents', () => {
  it('collects the times of each node in all runs but the first', async () => {
    const { nodes, runs } = await read([['m:0', 0, 1000]], [['m:0', 10, 5]], [['m:0', 20, 7]]);
    expect(runs).toBe(2);
    expect(nodes).toEqual([{ node: 0, events: 1, body: [], micros: [5, 7], tensors: [] }]);
    expect((await read([['m:0', 0, 1000]])).runs).toBe(0);
    expect((await read()).runs).toBe(0);
  });

  it('counts the time of bodies in the time of their node alone', async () => {
    const { nodes, unlabeled } = await after(['inner', 12, 3], ['inner', 16, 3], ['m:4', 10, 10]);
    expect(nodes).toMatchObject([{ node: 4, events: 3, body: [{ count: 2 }], micros: [10], tensors: [] }]);
    expect(unlabeled).toEqual([0]);
  });

  it('counts nodes of local functions and of other labels apart, with the bodies inside them once', async () => {
    const events = await after(['m:0', 10, 5], ['of a function', 15, 4], ['body', 21, 2], ['n:1', 20, 6]);
    expect(events).toMatchObject({ unlabeled: [10], unlabeledEvents: 3 });
  });

  it("reads the tensors of a node under this library's names of types", async () => {
    const outputs = [{ float: [1, 2] }, { int64: [] }, { double: [3] }];
    const { nodes } = await after(['m:1', 10, 5, outputs]);
    expect(nodes[0].tensors).toEqual([
      { dtype: 'float32', shape: [1, 2] },
      { dtype: 'int64', shape: [] },
      { dtype: 'float64', shape: [3] },
    ]);
  });
});

it('counts the nodes of bodies that ran, and reads the first run if no run is skipped', async () => {
  const passes = [1, 3, 5].map((ts): Event => ['twice', ts, 1]);
  const file = written([...passes, ['once', 7, 1], ['m:2', 0, 10], ['m:3', 12, 1]]);
  const { nodes, runs } = await readEvents(file, new NodeLabels('m'), 0);
  expect(runs).toBe(1);
  expect(nodes).toMatchObject([
    { node: 2, events: 5, body: [{ count: 3 }, { count: 1 }] },
    { node: 3, events: 1, body: [] },
  ]);
});
