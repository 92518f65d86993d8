import { MANIFEST_KEY } from '../../../contract/slice-manifest';
import { readManifest } from '../../../lambda/slice/load';
import { encodeModel, MANIFESTS, type TinyModel } from '../../support/tiny-slice';

const model: TinyModel = { nodes: [], inputs: [], outputs: [] };

it("a slice's manifest is required", () => {
  expect(() => readManifest(encodeModel(model))).toThrow(`no metadata property '${MANIFEST_KEY}'`);
});

it("a slice's manifest must have this version", () => {
  const metadata = { [MANIFEST_KEY]: JSON.stringify({ ...MANIFESTS[0], version: 2 }) };
  expect(() => readManifest(encodeModel({ ...model, metadata }))).toThrow(
    'must have version 1, got 2: deploy the stack again',
  );
});
