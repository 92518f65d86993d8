/**
 * Entry point of a child process: infers the shapes of a model's outputs as `infer-child.ts` does, and tells scalars from
 * tensors of unknown rank. For both, ONNX Runtime reports an empty shape. But it infers that the result of a `Shape` node has
 * as many elements as the rank, if it knows the rank. So the process adds such nodes and asks again.
 */
import * as fs from 'node:fs';
import type { Dimension } from '../../contract/tensors';
import { submessage } from '../onnx/chunks';
import { dataTypeName, isBindable } from '../onnx/data-type';
import { encodeNode, encodeValueInfo } from '../onnx/encode';
import { GRAPH, MODEL } from '../onnx/fields';
import { parseValueInfo } from '../onnx/parse-type';
import { ByteSource, content, fields } from '../onnx/wire';
import type { SessionOutput } from './infer-child';
import { inferOutputTypes } from './infer-child';

export interface RanksAnswer {
  /** The shape of each output in the order of the model; `null` for an unknown rank. */
  readonly shapes?: readonly (readonly Dimension[] | null)[];
  /** ONNX Runtime's message instead, if it refuses the model. It refuses some models whose shapes are incomplete. */
  readonly refusal?: string;
}

/** @param modelPath a model that this function may change */
export function inferShapes(modelPath: string): RanksAnswer {
  const names = outputNames(modelPath);
  const answer = inferOutputTypes(modelPath);
  if ('error' in answer) return { refusal: answer.error };
  const { outputs } = answer;
  const scalars = scalarsAmong(modelPath, names, outputs);
  return {
    shapes: outputs.map(({ shape }, place) => (shape.length > 0 || scalars.has(place) ? shape : null)),
  };
}

/** The places of the scalars among the outputs. */
function scalarsAmong(
  modelPath: string,
  names: readonly string[],
  outputs: readonly SessionOutput[],
): ReadonlySet<number> {
  const places = outputs.flatMap(({ elementType, shape }, place) => {
    const dtype = elementType === undefined ? undefined : dataTypeName(elementType);
    return shape.length === 0 && dtype !== undefined && isBindable(dtype) ? [place] : [];
  });
  if (places.length === 0) return new Set();
  const shapeOf = (place: number): string => `sliced_inference.shape_of.${place}`;
  const graph = places.flatMap((place) => [
    encodeNode(GRAPH.node, { opType: 'Shape', inputs: [names[place]], outputs: [shapeOf(place)] }),
    encodeValueInfo(GRAPH.output, shapeOf(place)),
  ]);
  // Protobuf merges the two graphs of the file into one.
  fs.appendFileSync(modelPath, Buffer.concat(submessage(MODEL.graph, graph) as Uint8Array[]));
  const answer = inferOutputTypes(modelPath);
  if ('error' in answer) return new Set();
  const ranks = answer.outputs.slice(outputs.length);
  return new Set(places.filter((_, index) => ranks[index].shape[0] === 0));
}

function outputNames(modelPath: string): string[] {
  const source = new ByteSource(modelPath);
  try {
    return [...fields(source, { start: 0, end: source.size })]
      .filter(({ number }) => number === MODEL.graph)
      .flatMap((graph) => [...fields(source, content(graph))])
      .filter(({ number }) => number === GRAPH.output)
      .map((output) => parseValueInfo(source, content(output)).name);
  } finally {
    source.close();
  }
}

if (require.main === module) process.stdout.write(JSON.stringify(inferShapes(process.argv[2])));
