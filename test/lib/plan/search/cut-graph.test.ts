/** What the graph of cuts assumes of the state, and of the slice that writes the results. */
import type { StepChoice } from '../../../../lib/cost/chain';
import { costModel } from '../../../../lib/cost/model';
import { type CutGraph, pricedEdges } from '../../../../lib/plan/search/cut-graph';
import { MAX_STATE_TENSORS } from '../../../../lib/plan/sizes/estimate';

test.each([
  ['answers tensors that fit into the state', 1, MAX_STATE_TENSORS, true],
  ['writes larger tensors', 1, MAX_STATE_TENSORS + 1, false],
  ['writes the results', 2, 1, false],
])('the search assumes that a slice %s', (_, to, characters, isAnswered) => {
  const size = { characters, gets: 1, smallReads: { areAll: true, bytes: 8 } };
  const graph = { vertices: [0, 1, 2], edges: [{ from: 0, to, size }], isFirst: true, isLast: true };
  const step = () => ({ warmDollars: 1, coldDollars: 1, warmMs: 1, loadMs: 1, coldMs: 1 });
  const model = Object.assign(costModel(), { step });
  const request = { model, transport: 's3-standard', threads: 2 } as const;
  const sizes = { memorySizes: [], maxMemoryMb: 3008 };
  const [edge] = pricedEdges(graph as unknown as CutGraph, { ...request, ...sizes });
  expect(edge.steps[0].inState).toMatchObject({ isAnswered, readsAll: true, gets: 1, readBytes: 8 });
});

test.each([
  [2, true],
  [1, false],
])(
  'the search prices the results of the model as such: a slice up to vertex %d of 2 writes them: %s',
  (to, expected) => {
    const choices: (boolean | undefined)[] = [];
    const model = {
      options: { tensorsInState: false },
      step: (_: object, { writesResult }: StepChoice) => {
        choices.push(writesResult);
        return { warmDollars: 1, coldDollars: 1, warmMs: 1, loadMs: 1, coldMs: 1 };
      },
    };
    const graph = { vertices: [0, 1, 2], edges: [{ from: 0, to, size: {} }], isFirst: true, isLast: true };
    const request = { model, transport: 's3-standard', threads: 2 } as const;
    const pricing = { ...request, memorySizes: [], maxMemoryMb: 3008 };
    pricedEdges(graph as unknown as CutGraph, pricing as never);
    expect(choices).toEqual([expected]);
  },
);
