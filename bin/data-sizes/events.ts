/** Reads the events of ONNX Runtime's profiler: which nodes ran, and which tensors they computed. */
import * as fs from 'node:fs';
import { createInterface } from 'node:readline';
import type { BodyNode, RunNode } from '../../lib/shapes/data-sizes';
import type { ValueType } from '../../lib/shapes/value-types';
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
 * By node with a label: what it computed in the only run of a session; `undefined` if the profiler did not record the whole run, because it
 * holds a limited number of events.
 *
 * @param file of the profiler; it may have a million lines
 */
export async function readRun(
  file: string,
  labels: NodeLabels,
): Promise<ReadonlyMap<number, RunNode> | undefined> {
  const events: NodeEvent[] = [];
  let isWhole = false;
  for await (const line of createInterface({ input: fs.createReadStream(file), crlfDelay: Infinity })) {
    if (line.includes('"cat" : "Node"')) {
      const event = JSON.parse(line.replace(/,\s*$/, '')) as NodeEvent;
      if (event.name.endsWith(SUFFIX)) events.push(event);
    } else if (line.includes('"name" :"model_run"')) isWhole = true;
  }
  if (!isWhole) return undefined;
  const nodes = new Map<number, RunNode>();
  for (const { node, event, inner } of outerEvents(events, labels)) {
    if (node === undefined) continue;
    nodes.set(node, { tensors: tensorsOf(event.args.output_type_shape), body: bodyOf(inner) });
  }
  return nodes;
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

function tensorsOf(all: TypeShapes = []): (ValueType | null)[] {
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
function outerEvents(events: readonly NodeEvent[], labels: NodeLabels): OuterEvent[] {
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
