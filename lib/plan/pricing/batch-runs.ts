/** The packs of a batch as runs of a plan: each slice is called once for all items, and the slices run one after the other. */
import { MAX_LINE_BYTES } from '../../../contract/batch';
import type { BatchedPlan } from '../../cost/batch';
import type { Transport } from '../../cost/chain';
import { DetailedCostModel } from '../../cost/model';
import type { Schedule } from '../../cost/schedule';
import { largestOf, sumOf } from '../../extremes';
import { ONNX_INT64, ONNX_UINT64 } from '../../onnx/data-type';
import type { CutSpace } from '../cuts/cuts';
import type { SliceSize } from '../sizes/estimate';
import type { WiredCut } from '../wiring/wiring';
import { plannedRuns } from './plan-runs';
import { type SliceSettings, pricedPlan } from './price';

/** Where the requests of the items are: an object for each, or inside the list of the items if they fit into its lines. */
export type BatchRequests = 'objects' | 'lines';

/** The item's name. */
const LINE_BYTES = 100;
/** A tensor's name, type and shape. */
const TENSOR_BYTES = 70;
/** The number of a token, or an index, has up to six digits, and a comma. Other elements than 64-bit integers are in base64. */
const NUMBER_BYTES = 7;

/** Also with consolidation, the slices alone run: how many items find the whole model warm is not modeled. */
export function batchRuns(
  analyzed: { readonly cuts: CutSpace; readonly transport: Transport },
  cut: WiredCut & { readonly settings?: SliceSettings },
  requests: BatchRequests = 'objects',
): BatchedPlan {
  const { costs } = analyzed.cuts;
  const { dataflow, groups, wiring } = cut;
  const { sizes, settings } = plannedRuns(analyzed, {
    ...{ dataflow, groups, wiring },
    ...(cut.settings && { settings: cut.settings }),
  });
  const ofLine = requests === 'lines' ? lineBytes(analyzed.cuts) : 0;
  const model = new DetailedCostModel({
    ...costs.model(undefined, false).options,
    ...{ stateMachineType: 'express', warmUp: false, tensorsInState: false },
    ...{ request: ofLine > 0 ? 'inline' : 's3', result: 'inline' },
  });
  const schedule: Schedule = sizes.map((_, slice) => ({ kind: 'slice', slice }));
  const { outputSecondsPerByte } = costs;
  const packOf = (items: number) => {
    const own = sizes.map((size, slice) => sizeOfPack(size, slice, items));
    const { steps, outcomes } = pricedPlan(schedule, own, settings, { model, outputSecondsPerByte });
    return { steps, outcomes };
  };
  return {
    ...{ model, packOf, memoryMb: settings.memoryMb },
    bytes: largestOf(sizes.map(({ readBytes, writeBytes }) => Math.max(readBytes, writeBytes))),
    lineBytes: ofLine,
  };
}

function lineBytes({ dataflow, bytes }: CutSpace): number {
  const { inputs, values } = dataflow.model.graph;
  const requested = inputs.filter(({ value }) => values[value].initializer === undefined);
  const ofTensors = requested.map(({ value, type: { dataType } }) =>
    dataType === ONNX_INT64 || dataType === ONNX_UINT64
      ? (NUMBER_BYTES * bytes[value]) / 8
      : 4 * Math.ceil(bytes[value] / 3),
  );
  const all = LINE_BYTES + TENSOR_BYTES * ofTensors.length + sumOf(ofTensors);
  // The clients write longer requests into objects, whose keys are in the lines.
  return all <= MAX_LINE_BYTES ? all : 0;
}

/** The first slice reads a request for each item. The others read one object. */
function sizeOfPack(size: SliceSize, slice: number, items: number): SliceSize {
  const { coreSeconds, outputBytes, readBytes, writeBytes, requestBytes, gets } = size;
  return {
    ...size,
    ...{ coreSeconds: items * coreSeconds, outputBytes: items * outputBytes },
    ...{ readBytes: items * readBytes, writeBytes: items * writeBytes, requestBytes: items * requestBytes },
    ...(slice === 0 ? { gets: 0, requestGets: items } : { gets: Math.max(1, gets), requestGets: 0 }),
  };
}
