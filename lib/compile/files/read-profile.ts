/** Reads a profile, whose content may come from a stranger, and checks that it fits a model. */
import { MAX_GRAPH_ENTRIES, MAX_NAME_BYTES, MAX_RANK } from '../../onnx/limits';
import { type OptimizationLevel, OPTIMIZATION_LEVELS } from '../../optimize/level';
import * as profiles from '../../compute-time/profile/profile';
import * as read from '../../json-readers';
import type { KernelSpeeds } from '../../compute-time/kernel-class';
import { MODEL, VERSION } from './plan-schema';
import { SlicedInferenceError, printable, quoted } from '../../errors';
import { onnxRuntimeVersion } from '../../host/packages';
import { readText } from '../../host/read-text';
import type { Model } from '../../onnx/model';
import { graphDigest } from '../../plan/file/plan';
import { type DimensionSizes, givenSize } from '../../shapes/value-types';

/** Longest name of a processor; those of Linux have up to 64 characters. */
const MAX_PROCESSOR_NAME = 256;
/** Longest time: no run of a function takes longer than 15 minutes, and the machine may be a hundred times slower. */
const MAX_SECONDS = 90_000;
/** Of operations or elements a second: a microcontroller and a rack. */
const SPEED = read.numberFrom(1e6, 1e18);
const MAX_THREADS = 1024;
const MAX_RUNS = 1_000_000;

const SIZE = read.wholeNumber(0);
const DTYPE = read.matching(/^[a-z][a-z0-9]{0,31}$/, 'the name of an element type');
const ARCHITECTURE = read.matching(/^[a-z0-9]{1,16}$/, 'an architecture such as x64');
const SECONDS = read.numberFrom(0, MAX_SECONDS);

const MACHINE = read.anObject<profiles.ProfiledMachine>({
  processor: read.text(MAX_PROCESSOR_NAME),
  architecture: ARCHITECTURE,
  threads: read.wholeNumber(1, MAX_THREADS),
  speeds: read.anObject<KernelSpeeds>({ float32: SPEED, int8: SPEED, fourBits: SPEED, elements: SPEED }),
  callSeconds: SECONDS,
});

const TENSOR = read.anObject<profiles.ProfiledTensor>({ dtype: DTYPE, shape: read.aList(SIZE, MAX_RANK) });

const NODE = read.anObject<profiles.ProfiledNode>({
  seconds: SECONDS,
  outputs: read.aList(read.nullable(TENSOR), MAX_GRAPH_ENTRIES),
});

export function profileOf(nodes: number): read.Reader<profiles.ModelProfile> {
  return read.anObject<profiles.ModelProfile>({
    version: read.oneOf([profiles.PROFILE_VERSION]),
    library: VERSION,
    onnxRuntime: VERSION,
    graphOptimization: read.oneOf(OPTIMIZATION_LEVELS),
    model: MODEL,
    dimensions: read.aRecord(read.text(MAX_NAME_BYTES), SIZE),
    machine: MACHINE,
    runs: read.wholeNumber(1, MAX_RUNS),
    nodes: read.aList(read.nullable(NODE), nodes, nodes),
  });
}

/** Largest profile. One of 100,000 nodes with two outputs each has about 20 MB. */
export const MAX_PROFILE_BYTES = 64 * 2 ** 20;

const MAKE = 'make one with `sliced-inference profile`';
const WORDING = {
  kind: 'profile',
  advice: 'make the profile again with `sliced-inference profile`, and do not edit it',
};

export function readProfile(path: string): profiles.ModelProfile {
  const text = readText(path, 'profile', MAX_PROFILE_BYTES, 'pass the path of a profile');
  const place = read.Place.root(path, WORDING);
  const must = `be a profile of version ${profiles.PROFILE_VERSION}`;
  const value = read.jsonOf(text, place, must, MAKE);
  const parts = (value ?? {}) as { readonly [Name in keyof profiles.ModelProfile]?: unknown };
  const { version } = parts;
  if (version === undefined) throw place.faultOf(must, 'other content', MAKE);
  if (version !== profiles.PROFILE_VERSION) {
    const advice = 'profile the model again with this version of the library';
    throw place.faultOf(must, `version ${read.described(version)}`, advice);
  }
  const { nodes } = MODEL(parts.model, place.field('model'));
  return profileOf(nodes)(value, place);
}

export interface GivenProfile {
  readonly profile: profiles.ModelProfile;
  readonly path: string;
}

export interface FittingProfile {
  readonly profile: profiles.ModelProfile;
  /** What differs from the plan, one clause each: other sizes, another ONNX Runtime. Empty if nothing does. */
  readonly differences: readonly string[];
}

/**
 * Checks that the profile is one of this graph. How times depend on the sizes of dimensions is unknown, so a profile
 * with other sizes is used as it is, and the caller warns of `differences`.
 */
export function profileFor(
  { profile, path }: GivenProfile,
  model: Model,
  optimization: OptimizationLevel,
  dimensions: DimensionSizes,
): FittingProfile {
  if (profile.graphOptimization !== optimization) {
    throw new SlicedInferenceError(
      `profile ${quoted(path)} must be of graph optimization '${optimization}'`,
      `'${profile.graphOptimization}'`,
      `profile the model again with --optimize ${optimization}`,
    );
  }
  if (
    profile.model.graphDigest !== graphDigest(model.graph) ||
    profile.model.nodes !== model.graph.nodes.length
  ) {
    throw new SlicedInferenceError(
      `profile ${quoted(path)} must be of the graph of model ${quoted(model.files[0].path)}`,
      `a profile of another graph, of ${quoted(profile.model.file)}`,
      'profile this model with `sliced-inference profile`',
    );
  }
  const sizes = Object.entries(dimensions)
    .filter(([name, size]) => (givenSize(profile.dimensions, name) ?? size) !== size)
    .map(
      ([name, size]) => `${printable(name)} is ${size}, and was ${profile.dimensions[name]} in the profile`,
    );
  const version = onnxRuntimeVersion();
  const runtimes =
    profile.onnxRuntime === version
      ? []
      : [`ONNX Runtime is ${version}, and was ${profile.onnxRuntime} in the profile`];
  return { profile, differences: [...sizes, ...runtimes] };
}
