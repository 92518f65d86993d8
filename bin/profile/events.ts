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
  const collector = new Collector((name) => labels.nodeOf(name.slice(0, -SUFFIX.length)), skipped);
  const lines = createInterface({ input: fs.createReadStream(file), crlfDelay: Infinity });
  let run: NodeEvent[] = [];
  for await (const line of lines) {
    if (line.includes('"cat" : "Node"')) {
      const event = JSON.parse(line.replace(/,\s*$/, '')) as NodeEvent;
      if (event.name.endsWith(SUFFIX)) run.push(event);
    } else if (line.includes('"name" :"model_run"')) {
      collector.addRun(run);
      run = [];
    }
  }
  return collector.events();
}

type NodeOf = (name: string) => number | undefined;

class Collector {
  private readonly nodes = new Map<number, Omit<NodeSamples, 'node' | 'micros'> & { micros: number[] }>();
  private readonly unlabeled: number[] = [];
  private unlabeledEvents = 0;
  private runs = 0;

  /** @param nodeOf returns the node of an event, by its name */
  constructor(
    private readonly nodeOf: NodeOf,
    private readonly skipped: number,
  ) {}

  addRun(events: readonly NodeEvent[]): void {
    this.runs++;
    if (this.runs <= this.skipped) return;
    let unlabeled = 0;
    this.unlabeledEvents = 0;
    for (const { event, count, bodyNodes } of outerEvents(events, this.nodeOf)) {
      const node = this.nodeOf(event.name);
      const known = node === undefined ? undefined : this.nodes.get(node);
      if (node === undefined) {
        unlabeled += event.dur;
        this.unlabeledEvents += count;
      } else if (known !== undefined) known.micros.push(event.dur);
      else {
        const tensors = tensorsOf(event.args.output_type_shape);
        const body = [...bodyNodes.values()].map(bodyNodeOf);
        this.nodes.set(node, { events: count, body, micros: [event.dur], tensors });
      }
    }
    this.unlabeled.push(unlabeled);
  }

  events(): SliceEvents {
    const { unlabeled, unlabeledEvents } = this;
    const nodes = [...this.nodes].map(([node, samples]) => ({ node, ...samples }));
    return { nodes, unlabeled, unlabeledEvents, runs: Math.max(0, this.runs - this.skipped) };
  }
}

/** In a loop, sizes may grow from pass to pass: those of the middle one stand for all. */
function bodyNodeOf(events: readonly NodeEvent[]): BodyNode {
  const { args } = events[Math.floor(events.length / 2)];
  return {
    ...{ opType: args.op_name ?? '', count: events.length, hasWeights: Number(args.parameter_size) > 0 },
    ...{ inputs: tensorsOf(args.input_type_shape), outputs: tensorsOf(args.output_type_shape) },
  };
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
  readonly event: NodeEvent;
  /** Number of events that are part of it, itself included. */
  count: number;
  /** By node of its bodies. */
  readonly bodyNodes: Map<string, NodeEvent[]>;
}

/** ONNX Runtime runs the bodies of a node while it runs the node. */
function outerEvents(events: readonly NodeEvent[], nodeOf: NodeOf): OuterEvent[] {
  const sorted = [...events].sort((a, b) => a.ts - b.ts || b.dur - a.dur);
  const outer: OuterEvent[] = [];
  let end = -1;
  for (const event of sorted) {
    const before = outer.at(-1);
    // Times are rounded down, so the middle decides about an event that begins when another one ends. A node with a label
    // is no part of another node.
    if (before && event.ts + event.dur / 2 <= end && nodeOf(event.name) === undefined) {
      before.count++;
      const key = `${event.args.node_index} ${event.args.op_name} ${event.name}`;
      const known = before.bodyNodes.get(key);
      if (known === undefined) before.bodyNodes.set(key, [event]);
      else known.push(event);
      continue;
    }
    outer.push({ event, count: 1, bodyNodes: new Map() });
    end = Math.max(end, event.ts + event.dur);
  }
  return outer;
}
