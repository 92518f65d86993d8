/** Checks the estimates of a cache entry, which another program may have changed. */
import type { OneFunction, PlanEstimates } from '../plan-estimates';
import type { SizeNotes } from '../size-notes';
import type { Latency, RunCost } from '../../cost/chain';
import { Place } from './json-place';
import { type Reader, aList, anObject, optional, text } from './json-readers';

/** Longest sentence, in characters. */
const MAX_TEXT = 1000;
const MAX_DIFFERENCES = 100;
/** Longest sentence with names of dimensions and what ONNX Runtime says of them, in characters. */
const MAX_NOTE = 4000;

const AMOUNT: Reader<number> = (value, place) => {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw place.fault('be a number of 0 or more', value);
};

const FLAG: Reader<boolean> = (value, place) => {
  if (typeof value === 'boolean') return value;
  throw place.fault('be true or false', value);
};

const RUN = anObject<RunCost>({
  dollars: AMOUNT,
  latency: anObject<Latency>({ p50: AMOUNT, p95: AMOUNT }),
});

const ESTIMATES = anObject<PlanEstimates>({
  warm: RUN,
  cold: RUN,
  oneFunction: anObject<OneFunction>({ isBetter: FLAG, verdict: text(MAX_TEXT) }),
  profileDifferences: aList(text(MAX_TEXT), MAX_DIFFERENCES),
  wholeCallMs: optional(AMOUNT),
  sizes: anObject<SizeNotes>({ refused: optional(text(MAX_NOTE)), replaced: optional(text(MAX_NOTE)) }),
  nearEmpty: optional(text(MAX_NOTE)),
});

/** @throws SlicedInferenceError for a value that is not such estimates */
export function checkEstimates(value: unknown, name: string): PlanEstimates {
  return ESTIMATES(value, Place.root(name));
}
