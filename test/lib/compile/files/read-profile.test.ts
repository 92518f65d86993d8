/** A profile is checked field by field; what the library uses is a copy of what was checked. */
import * as fs from 'node:fs';
import { MAX_PROFILE_BYTES, profileFor, readProfile } from '../../../../lib/compile/files/read-profile';
import { onnxRuntimeVersion } from '../../../../lib/host/packages';
import { parseModel } from '../../../../lib/onnx/parse';
import { LAMBDA_SPEEDS } from '../../../../lib/compute-time/kernel-class';
import { nodeSeconds } from '../../../../lib/compute-time/node-seconds';
import { type ModelProfile, profileText } from '../../../../lib/compute-time/profile/profile';
import { analyzeModel } from '../../../../lib/compile/analyze';
import { changedFile, fileWith } from '../../../support/changed-json';
import { analyzeFast } from '../../../support/inference/fast-analysis';
import { mlp, saveModel } from '../../../support/model-builder';
import { profileOf } from '../../../support/model-profile';
import { errorOf } from '../../../support/pipeline-stack';

analyzeFast();

const analyzed = analyzeModel(saveModel(mlp(1)), { dimensions: { batch: 2 } });
const MODEL = analyzed.model;
const BASE = profileOf(analyzed, { seconds: 0.002 });
const PROFILE: ModelProfile = {
  ...BASE,
  // Products are twice as fast as on Lambda, other nodes are as fast.
  machine: { ...BASE.machine, speeds: { ...LAMBDA_SPEEDS, float32: 2 * LAMBDA_SPEEDS.float32 } },
  nodes: [BASE.nodes[0], null, { seconds: 0.001, outputs: [null] }],
};

it('readProfile returns what was written', () => {
  const text = profileText(PROFILE);
  expect(JSON.parse(text)).toEqual(PROFILE);
  expect(readProfile(fileWith(text))).toEqual(PROFILE);
  expect(profileText(readProfile(fileWith(text)))).toBe(text);
});

const others = { '{}': 'other content', '{"version":1}': 'version 1' };
it.each(Object.entries(others))('readProfile says what %s is instead', (text, got) => {
  const file = fileWith(text);
  expect(errorOf(() => readProfile(file))).toContain(
    `profile '${file}' must be a profile of version 2, got ${got}: `,
  );
});

it.each<[place: string, value: unknown, changed?: string]>([
  ['runs', undefined],
  ['nodes', PROFILE.nodes.slice(1)],
  ['nodes[0].seconds', -1],
  ['nodes[0]', {}, 'nodes[0].__proto__'],
  ['nodes[0].outputs[0].dtype', '../x'],
  ['nodes[0].outputs[0].shape[0]', -1],
  ['machine.speeds.float32', 0],
  ['machine.speeds.elements', '1'],
  ['machine.processor', '${Token[X.1]}'],
  ['model.graphDigest', 'AB'],
  ["dimensions['batch']", -2],
])('readProfile refuses a bad %s: %j', (place, value, changed = place) => {
  const file = changedFile(JSON.stringify(PROFILE), changed, value);
  const error = errorOf(() => readProfile(file));
  expect(error).toContain(`${place} of profile '${file}' must `);
  expect(error).toContain(': make the profile again with `sliced-inference profile`, and do not edit it');
});

it('readProfile refuses a large file before it reads it', () => {
  const large = fileWith('');
  fs.truncateSync(large, MAX_PROFILE_BYTES + 1);
  expect(errorOf(() => readProfile(large))).toContain(`must have at most ${MAX_PROFILE_BYTES} bytes`);
});

const given = { profile: PROFILE, path: 'p.json' };
const dimensions = { batch: 2 };

it('profileFor names other sizes and another ONNX Runtime', () => {
  const other = { ...PROFILE, onnxRuntime: '1.0.0' };
  expect(profileFor({ ...given, profile: other }, MODEL, 'none', { batch: 3 }).differences).toEqual([
    'batch is 3, and was 2 in the profile',
    `ONNX Runtime is ${onnxRuntimeVersion()}, and was 1.0.0 in the profile`,
  ]);
});

it('profileFor refuses a profile of another graph or of another optimization', () => {
  const model = parseModel(saveModel(mlp(2)));
  expect(errorOf(() => profileFor(given, model, 'none', dimensions))).toMatch(
    /^profile 'p.json' must be of the graph of model '.*', got a profile of another graph, of 'model.onnx': /,
  );
  expect(errorOf(() => profileFor(given, MODEL, 'basic', dimensions))).toContain(
    "must be of graph optimization 'basic', got 'none': profile the model again with --optimize basic",
  );
});

it('a profile replaces the estimate of work, scaled to a vCPU by the kernels of each node, with the time of each thread', () => {
  const threaded = { ...PROFILE, machine: { ...PROFILE.machine, threads: 2 } };
  expect(nodeSeconds(MODEL, analyzed.types, { profile: threaded })).toEqual([0.008, 0, 0.002]);
});
