/** The interface between the search for cuts and the estimates of how long nodes compute. */

/** By node of the graph that is cut: seconds of computing on one vCPU of Lambda. */
export type NodeWork = readonly number[];
