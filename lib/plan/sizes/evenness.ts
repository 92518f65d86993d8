/** Measures how even slices are. */
import { computeMs, vcpuShare } from '../../cost/formulas/lambda';
import { transferMs } from '../../cost/formulas/network';
import type { DetailedCostModel } from '../../cost/model';
import { type SliceSize, fileBytes, memoryMb } from './estimate';

/** What one slice has of the nodes and of the weights, which do not depend on the planned sizes. */
export interface SliceShare {
  readonly nodes: number;
  readonly weightBytes: number;
}

/**
 * The part of a slice in the unevenness of a cut. The parts add up to 1 for equal slices, and to the number of slices if one slice
 * has nearly all nodes and weights.
 */
export function unevenness(slice: SliceShare, whole: SliceShare, slices: number): number {
  const ofNodes = slice.nodes / whole.nodes;
  const ofWeights = whole.weightBytes > 0 ? slice.weightBytes / whole.weightBytes : 0;
  return slices * ((ofNodes + ofWeights) / 2) ** 2;
}

/** Milliseconds that the slice's function computes in an average run and, as far as it is cold then, loads its files. */
export function busyMs(size: SliceSize, { options, coldShare }: DetailedCostModel): number {
  const { environment, networkInVpc: inVpc, tls } = options;
  const vcpus = vcpuShare(memoryMb(size), environment);
  const loadMs = transferMs(fileBytes(size), vcpus, { inVpc, tls }, environment);
  return computeMs(size.coreSeconds, vcpus, vcpus, environment) + coldShare * loadMs;
}

/** A slice that does less than this share of the work adds a call and transfers, and hardly takes work from the others... */
const NEAR_EMPTY = 0.01;
/** ...and of more than ten slices, one that does less than this part of an equal share. */
const NEAR_EMPTY_OF_EQUAL = 0.1;

/** Whether a slice does nearly nothing of what all slices do together. */
export function isNearEmpty(own: number, ofAll: number, slices: number): boolean {
  return own < Math.min(NEAR_EMPTY, NEAR_EMPTY_OF_EQUAL / slices) * ofAll;
}
