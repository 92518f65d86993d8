import { MANIFEST_KEY } from '../../../contract/slice-manifest';
import { readManifest } from '../../../lambda/slice/manifest';
import { encodeModel, MANIFESTS, type TinyModel } from '../../support/tiny-slice';

const model: TinyModel = { nodes: [], inputs: [], outputs: [] };

describe("a slice's manifest", () => {
  it("stands in the model's metadata, among others", () => {
    const metadata = { author: 'someone', [MANIFEST_KEY]: JSON.stringify(MANIFESTS[1]), other: 'x' };
    expect(readManifest(encodeModel({ ...model, metadata }))).toEqual(MANIFESTS[1]);
  });

  it('must be there', () => {
    expect(() => readManifest(encodeModel(model))).toThrow(`no metadata property '${MANIFEST_KEY}'`);
  });

  it('must be of this version', () => {
    const metadata = { [MANIFEST_KEY]: JSON.stringify({ ...MANIFESTS[0], version: 2 }) };
    expect(() => readManifest(encodeModel({ ...model, metadata }))).toThrow(
      'has version 2, this function reads 1',
    );
  });
});
