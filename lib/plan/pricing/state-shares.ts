/** What of the tensors of wired slices travels in the state of the execution, for their prices. */
import type { InState } from '../../cost/cost-model';
import type { SliceSize } from '../sizes/estimate';
import type { WiredCut } from '../wiring/wiring';
import type { Schedule } from '../schedule/schedule';
import {
  type HandedOnPlan,
  plannedCharacters,
  readersOf,
  stateTensorLimits,
} from '../schedule/state-tensor-limits';

/** Wired slices, and the planned bytes of the values that they pass on. */
export interface SizedCut {
  readonly cut: WiredCut;
  /** By value. */
  readonly bytes: readonly number[];
}

/**
 * By slice.
 *
 * @param sizes by slice
 * @param schedule with warm-ups, if the state machine has them
 */
export function stateShares(
  { cut, bytes }: SizedCut,
  sizes: readonly SliceSize[],
  schedule: Schedule,
): InState[] {
  const plan = handedOnPlan(cut, sizes);
  const limits = stateTensorLimits(plan, schedule);
  const readers = readersOf(plan);
  return cut.wiring.slices.map(({ inputs }, slice): InState => {
    const carried = inputs.filter(({ source }) => source.from === 'slice' && limits.has(source.slice));
    const sources = [...limits.keys()].filter((source) => readers.get(source)?.has(slice));
    return {
      isAnswered: limits.has(slice),
      readTensors: carried.length,
      readsAll: carried.length === sizes[slice].readTensors,
      readBytes: sum(carried.map(({ value }) => bytes[value])),
      characters: sum(sources.map((source) => plannedCharacters(plan.slices[source]))),
    };
  });
}

function handedOnPlan({ dataflow, wiring }: WiredCut, sizes: readonly SliceSize[]): HandedOnPlan {
  const { values } = dataflow.model.graph;
  return {
    slices: wiring.slices.map(({ inputs, outputs }, slice) => ({
      inputs,
      outputs: outputs.map((value) => ({ name: values[value].name })),
      writeBytes: sizes[slice].writeBytes,
    })),
    outputs: wiring.results,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
