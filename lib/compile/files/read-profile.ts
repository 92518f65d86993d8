/** Reads a profile, whose content may come from a stranger, and checks that it fits a model. */
import { SlicedInferenceError, printable, quoted } from '../../errors';
import { onnxRuntimeVersion } from '../../host/onnxruntime';
import { readText } from '../../host/read-text';
import type { Model } from '../../onnx/model';
import type { OptimizationLevel } from '../../optimize/level';
import { graphDigest } from '../../plan/file/graph-digest';
import { type DimensionSizes, givenSize } from '../../shapes/value-types';
import { type ModelProfile, PROFILE_VERSION } from '../../compute-time/profile/profile';
import { Place, described, jsonOf } from './json-place';
import { MODEL } from './plan-schema';
import { profileOf } from './profile-schema';

/** Largest profile. One of 100,000 nodes with two outputs each has about 20 MB. */
export const MAX_PROFILE_BYTES = 64 * 2 ** 20;

const MAKE = 'make one with `sliced-inference profile`';
const WORDING = {
  kind: 'profile',
  advice: 'make the profile again with `sliced-inference profile`, and do not edit it',
};

/** @throws SlicedInferenceError for a file that cannot be read or is not a valid profile of this version */
export function readProfile(path: string): ModelProfile {
  const text = readText(path, 'profile', MAX_PROFILE_BYTES, 'pass the path of a profile');
  const place = Place.root(path, WORDING);
  const must = `be a profile of version ${PROFILE_VERSION}`;
  const value = jsonOf(text, place, must, MAKE);
  const parts = (value ?? {}) as { readonly [Name in keyof ModelProfile]?: unknown };
  const { version } = parts;
  if (version === undefined) throw place.faultOf(must, 'other content', MAKE);
  if (version !== PROFILE_VERSION) {
    const advice = 'profile the model again with this version of the library';
    throw place.faultOf(must, `version ${described(version)}`, advice);
  }
  const { nodes } = MODEL(parts.model, place.field('model'));
  return profileOf(nodes)(value, place);
}

/** A profile that the user names. */
export interface GivenProfile {
  readonly profile: ModelProfile;
  /** Its path, for errors. */
  readonly path: string;
}

/** The graph for which a profile is to be used. */
export interface ProfileUse {
  /** The graph that is cut. */
  readonly model: Model;
  readonly optimization: OptimizationLevel;
  /** Sizes for which the model is planned. A dimension that is not named has the size of the profile. */
  readonly dimensions: DimensionSizes;
}

/** A profile of a model. */
export interface FittingProfile {
  readonly profile: ModelProfile;
  /** What differs from the plan, one clause each: other sizes, another ONNX Runtime. Empty if nothing does. */
  readonly differences: readonly string[];
}

/**
 * Checks that the profile is one of this graph. How times depend on the sizes of dimensions is unknown, so a profile with other
 * sizes is used as it is, and the caller warns of `differences`.
 *
 * @throws SlicedInferenceError for a profile of another graph
 */
export function profileFor({ profile, path }: GivenProfile, use: ProfileUse): FittingProfile {
  const { model, optimization, dimensions } = use;
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
