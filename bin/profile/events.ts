/** Reads the events of ONNX Runtime's profiler: how long each node of each run took, and which tensors it computed. */
import * as fs from 'node:fs';
import { createInterface } from 'node:readline';
import type { ProfiledTensor } from '../../lib/compute-time/profile/profile';
import type { BodyNode } from '../../lib/shapes/data-sizes';
import type { NodeLabels } from './label-nodes';

/** What the profiler of ONNX Runtime 1.30 writes, one event a line. Times are in whole microseconds. */
interface NodeEvent {
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
  readonly args: {
    /** In its graph: nodes of bodies may share a name. */
    readonly node_index?: string;
    readonly op_name?: string;
    /** Bytes of its constant inputs. */
    readonly parameter_size?: string;
    readonly input_type_shape?: TypeShapes;
    readonly output_type_shape?: TypeShapes;
  };
}

type TypeShapes = readonly Readonly<Record<string, readonly number[]>>[];

/** The nodes of one slice in all runs but the first. */
export interface SliceEvents {
  readonly nodes: readonly NodeSamples[];
  /** By run: microseconds of nodes that have no label, which are those of local functions. */
  readonly unlabeled: readonly number[];
  /** Number of these nodes in a run, those of their bodies included. */
  readonly unlabeledEvents: number;
  /** Number of runs that the profiler recorded as a whole. */
  readonly runs: number;
}

export interface NodeSamples {
  readonly node: number;
  /** Number of events in a run: its own, and those of its bodies. */
  readonly events: number;
  /** The nodes of its bodies that ran, bodies inside of them included. */
  readonly body: readonly BodyNode[];
  /** By run. */
  readonly micros: readonly number[];
  /** The tensors that it computed, in the order of its outputs; what is not a tensor is missing. */
  readonly tensors: readonly (ProfiledTensor | null)[];
}

/** ONNX Runtime appends this to the name of the node. */
const SUFFIX = '_kernel_time';

/** By the profiler's name of an element type, the name in this library, where they differ in more than capitals. */
const DTYPES: Readonly<Record<string, string>> = {
  float: 'float32',
  double: 'float64',
  int4x2: 'int4',
  uint4x2: 'uint4',
};

/**
 * @param file of the profiler; it may have a million lines
 * @param skipped number of runs that do not count. The first run reads the weights from the disk.
 */
export async function readEvents(
  file: string,
  labels: Pick<NodeLabels, 'nodeOf'>,
  skipped = 1,
): Promise<SliceEvents> {
  const nodes = new Map<number, NodeSamples & { readonly micros: number[] }>();
  const unlabeled: number[] = [];
  let [runs, unlabeledEvents] = [0, 0];
  for await (const events of runsOf(file)) {
    runs++;
    if (runs <= skipped) continue;
    unlabeledEvents = 0;
    let micros = 0;
    for (const { node, event, inner } of outerEvents(events, labels)) {
      const known = node === undefined ? undefined : nodes.get(node);
      if (node === undefined) {
        micros += event.dur;
        unlabeledEvents += 1 + inner.length;
      } else if (known !== undefined) known.micros.push(event.dur);
      else {
        const tensors = tensorsOf(event.args.output_type_shape);
        const own = { node, events: 1 + inner.length, body: bodyOf(inner), micros: [event.dur], tensors };
        nodes.set(node, own);
      }
    }
    unlabeled.push(micros);
  }
  return { nodes: [...nodes.values()], unlabeled, unlabeledEvents, runs: Math.max(0, runs - skipped) };
}

async function* runsOf(file: string): AsyncGenerator<readonly NodeEvent[]> {
  let run: NodeEvent[] = [];
  for await (const line of createInterface({ input: fs.createReadStream(file), crlfDelay: Infinity })) {
    if (line.includes('"cat" : "Node"')) {
      const event = JSON.parse(line.replace(/,\s*$/, '')) as NodeEvent;
      if (event.name.endsWith(SUFFIX)) run.push(event);
    } else if (line.includes('"name" :"model_run"')) {
      yield run;
      run = [];
    }
  }
}

/** The nodes that ran. In a loop, sizes may grow from pass to pass: those of the middle one stand for all. */
function bodyOf(events: readonly NodeEvent[]): BodyNode[] {
  const byNode = new Map<string, NodeEvent[]>();
  for (const event of events) {
    const key = `${event.args.node_index} ${event.args.op_name} ${event.name}`;
    const known = byNode.get(key);
    if (known === undefined) byNode.set(key, [event]);
    else known.push(event);
  }
  return [...byNode.values()].map((own) => {
    const { args } = own[Math.floor(own.length / 2)];
    return {
      ...{ opType: args.op_name ?? '', count: own.length, hasWeights: Number(args.parameter_size) > 0 },
      ...{ inputs: tensorsOf(args.input_type_shape), outputs: tensorsOf(args.output_type_shape) },
    };
  });
}

function tensorsOf(all: TypeShapes = []): (ProfiledTensor | null)[] {
  return all.map((output) => {
    const entry = Object.entries(output).at(0);
    if (entry === undefined) return null;
    const name = entry[0].toLowerCase();
    return { dtype: DTYPES[name] ?? name, shape: entry[1] };
  });
}

/** An event that is not part of another one. */
interface OuterEvent {
  /** `undefined` without a label. */
  readonly node: number | undefined;
  readonly event: NodeEvent;
  /** The events that are part of it. */
  readonly inner: NodeEvent[];
}

/** ONNX Runtime runs the bodies of a node while it runs the node. */
function outerEvents(events: readonly NodeEvent[], labels: Pick<NodeLabels, 'nodeOf'>): OuterEvent[] {
  const sorted = [...events].sort((a, b) => a.ts - b.ts || b.dur - a.dur);
  const outer: OuterEvent[] = [];
  let end = -1;
  for (const event of sorted) {
    const node = labels.nodeOf(event.name.slice(0, -SUFFIX.length));
    // Times are rounded down, so the middle decides about an event that begins when another one ends. A node with a label
    // is no part of another node.
    if (node === undefined && event.ts + event.dur / 2 <= end) {
      outer[outer.length - 1].inner.push(event);
      continue;
    }
    outer.push({ node, event, inner: [] });
    end = Math.max(end, event.ts + event.dur);
  }
  return outer;
}
