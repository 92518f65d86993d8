/** Puts together what the slices of a model measured: one time for each node of the model. */
import { type Model, OMITTED } from '../../lib/onnx/model';
import { callKey, functionsByKey } from '../../lib/onnx/local-functions';
import type { ProfiledNode, ProfiledTensor } from '../../lib/compute-time/profile/profile';
import { median } from '../../lib/extremes';
import { correction } from '../../lib/compute-time/profile/correction';
import type { SliceAnswer } from './run-profile-job';

/** Share of a run that is the time of nodes at least, because a call that computes nothing varies by more than tiny nodes take. */
const LEAST_SHARE = 0.1;

/** Rounds a measured figure to four digits, more than a measurement repeats, so that a file of figures stays small. */
export function rounded(figure: number): number {
  return Number(figure.toPrecision(4));
}

/** What one process measured. */
export interface MeasuredSlice {
  readonly answer: SliceAnswer;
  /** The nodes of the slice. */
  readonly nodes: ReadonlySet<number>;
}

interface Samples {
  /** In seconds. */
  readonly times: readonly number[];
  /** See `NodeSamples.events`. */
  readonly events: number;
  readonly tensors: readonly (ProfiledTensor | null)[];
}

/** @param callSeconds of a call that computes nothing */
export function nodeTimes(
  model: Model,
  slices: readonly MeasuredSlice[],
  callSeconds: number,
): (ProfiledNode | null)[] {
  const isCall = callsFunction(model);
  const all = new Map<number, Samples[]>();
  for (const { answer, nodes } of slices) {
    const samples = samplesOf(answer, [...nodes].filter(isCall));
    const medians = [...samples.values()].map(({ times, events }) => ({ time: median(times), events }));
    const run = median(answer.seconds);
    const correct = correction(medians, Math.max(run - callSeconds, LEAST_SHARE * run));
    for (const [node, { times, events, tensors }] of samples) {
      const corrected = times.map((time) => correct({ time, events }));
      all.set(node, [...(all.get(node) ?? []), { times: corrected, events, tensors }]);
    }
  }
  return model.graph.nodes.map(({ index, outputs }) => profiledNode(outputs, all.get(index)));
}

/**
 * ONNX Runtime runs the nodes of a local function in the place of its call, under names of its own. So the calls of one
 * slice share the time of these nodes evenly.
 */
function samplesOf({ events: slice }: SliceAnswer, calls: readonly number[]): Map<number, Samples> {
  const secondsOf = (micros: readonly number[], share = 1): number[] =>
    shorterHalf(micros).map((time) => time / 1e6 / share);
  const samples = new Map<number, Samples>();
  for (const { node, events, micros, tensors } of slice.nodes) {
    samples.set(node, { times: secondsOf(micros), events, tensors });
  }
  for (const call of calls) {
    const events = slice.unlabeledEvents / calls.length;
    samples.set(call, { times: secondsOf(slice.unlabeled, calls.length), events, tensors: [] });
  }
  return samples;
}

/**
 * A program that takes the processor away makes the time of one node longer, and none shorter. On a busy machine it meets each
 * run, but seldom the same node.
 */
export function shorterHalf(times: readonly number[]): number[] {
  return [...times].sort((a, b) => a - b).slice(0, Math.ceil(times.length / 2));
}

function profiledNode(outputs: readonly number[], samples: readonly Samples[] = []): ProfiledNode | null {
  const times = samples.flatMap((each) => each.times);
  if (times.length === 0) return null;
  const [{ tensors }] = samples;
  // The profiler leaves out sequences, so with one of them it is unknown which tensor is which output.
  const isComplete = tensors.length === outputs.filter((output) => output !== OMITTED).length;
  let next = 0;
  return {
    seconds: rounded(median(times)),
    outputs: outputs.map((output) => (output === OMITTED || !isComplete ? null : (tensors[next++] ?? null))),
  };
}

function callsFunction(model: Model): (node: number) => boolean {
  const functions = functionsByKey(model);
  return (node) => {
    // The last use is that of the node itself, the others are those of its bodies.
    const own = model.graph.nodes[node].operators.at(-1);
    return own !== undefined && functions.has(callKey(own));
  };
}
