/** The result of a search for cuts. */
import type { NodeIndex } from '../../onnx/model';

/** By slice: the nodes that are assigned to it. */
export type Groups = readonly (readonly NodeIndex[])[];
