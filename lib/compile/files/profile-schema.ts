/** The fields of a profile: kinds, ranges and names. */
import { MAX_GRAPH_ENTRIES, MAX_NAME_BYTES, MAX_RANK } from '../../onnx/limits';
import { OPTIMIZATION_LEVELS } from '../../optimize/level';
import {
  type ModelProfile,
  type ProfiledMachine,
  type ProfiledNode,
  type ProfiledRun,
  type ProfiledSlice,
  type ProfiledTensor,
  PROFILE_VERSION,
} from '../../compute-time/profile/profile';
import {
  type Reader,
  aList,
  aRecord,
  anObject,
  matching,
  nullable,
  oneOf,
  text,
  wholeNumber,
} from './json-readers';
import { MODEL, VERSION } from './plan-schema';

/** Longest name of a processor; those of Linux have up to 64 characters. */
const MAX_PROCESSOR_NAME = 256;
/** Longest time: no run of a function takes longer than 15 minutes, and the machine may be a hundred times slower. */
const MAX_SECONDS = 90_000;
/** Slowest and fastest machine: a microcontroller and a rack. */
const MIN_FLOPS = 1e6;
const MAX_FLOPS = 1e18;
const MAX_THREADS = 1024;
const MAX_RUNS = 1_000_000;

const SIZE = wholeNumber(0, Number.MAX_SAFE_INTEGER);
const DTYPE = matching(/^[a-z][a-z0-9]{0,31}$/, 'the name of an element type');
const ARCHITECTURE = matching(/^[a-z0-9]{1,16}$/, 'an architecture such as x64');
const SECONDS = numberFrom(0, MAX_SECONDS);

const MACHINE = anObject<ProfiledMachine>({
  processor: text(MAX_PROCESSOR_NAME),
  architecture: ARCHITECTURE,
  threads: wholeNumber(1, MAX_THREADS),
  flopsPerSecond: numberFrom(MIN_FLOPS, MAX_FLOPS),
  callSeconds: SECONDS,
});

const TENSOR = anObject<ProfiledTensor>({ dtype: DTYPE, shape: aList(SIZE, MAX_RANK) });

const NODE: Reader<ProfiledNode> = (value, place) => {
  const node = anObject<ProfiledNode>({
    seconds: SECONDS,
    low: SECONDS,
    high: SECONDS,
    outputs: aList(nullable(TENSOR), MAX_GRAPH_ENTRIES),
  })(value, place);
  if (node.low <= node.seconds && node.seconds <= node.high) return node;
  throw place.faultOf(
    'have times in the order low, seconds, high',
    `${node.low}, ${node.seconds}, ${node.high}`,
  );
};

/** @param nodes number of nodes of the model */
export function profileOf(nodes: number): Reader<ModelProfile> {
  return anObject<ModelProfile>({
    version: oneOf([PROFILE_VERSION]),
    library: VERSION,
    onnxRuntime: VERSION,
    graphOptimization: oneOf(OPTIMIZATION_LEVELS),
    model: MODEL,
    dimensions: aRecord(text(MAX_NAME_BYTES), SIZE),
    machine: MACHINE,
    runs: wholeNumber(1, MAX_RUNS),
    nodes: aList(nullable(NODE), nodes, nodes),
    slices: aList(slice(nodes), Math.max(1, nodes), 1),
  });
}

function slice(nodes: number): Reader<ProfiledSlice> {
  return anObject<ProfiledSlice>({
    nodes: runs(nodes),
    seconds: SECONDS,
    activationBytes: SIZE,
    peakBytes: SIZE,
  });
}

/** Runs of nodes in ascending order, so that no file can list more nodes than the model has. */
function runs(nodes: number): Reader<ProfiledRun[]> {
  const indexes = aList(wholeNumber(0, nodes - 1), 2, 2);
  return (value, place) => {
    let before = -1;
    const run: Reader<ProfiledRun> = (own, at) => {
      const [first, last] = indexes(own, at);
      if (first <= before || last < first) {
        throw at.faultOf(`be a first and a last node after node ${before}`, `${first} and ${last}`);
      }
      before = last;
      return [first, last];
    };
    return aList(run, nodes)(value, place);
  };
}

/** A number that may have a fraction. */
function numberFrom(least: number, most: number): Reader<number> {
  return (value, place) => {
    if (typeof value === 'number' && value >= least && value <= most) return value;
    throw place.fault(`be a number from ${least} to ${most}`, value);
  };
}
