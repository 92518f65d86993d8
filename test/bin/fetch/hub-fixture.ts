/** A small server with the hub's interface, another one for large files, and commands that use them. */
import { createHash } from 'node:crypto';
import * as path from 'node:path';
import { type Answer, answeringServer } from '../../support/answering-server';
import { encodeModel, external, mlp, modelOf, node, temporaryFolder } from '../../support/model-builder';
import { type Outcome, outcome } from '../../support/run-cli';

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';
/** Files in a page of the list. */
const PAGE = 2;
/** The other server has the content of larger files. */
const LARGE = 2000;

export const WEIGHTS = Buffer.alloc(64 * 64 * 4, 1);
export const SINGLE = { 'model.onnx': Buffer.from(encodeModel(mlp(6))) };

export function withExternal(location = 'model.onnx_data'): Uint8Array {
  const weights = external('w', [64, 64], { location });
  return encodeModel(modelOf([node('MatMul', ['x', 'w'], ['y'])], { x: [1, 64] }, [weights]));
}

function listed([name, content]: [string, Uint8Array]): object {
  const size = content.length;
  const oid = createHash('sha1').update(`blob ${size}\0`).update(content).digest('hex');
  const lfs = { oid: createHash('sha256').update(content).digest('hex'), size, pointerSize: 130 };
  return { type: 'file', path: name, oid, size, ...(size > LARGE && { lfs }) };
}

export function hubFixture() {
  const fixture = {
    /** By path. */
    files: {} as Readonly<Record<string, Uint8Array>>,
    /** Each answers the next request whose address contains the text. */
    faults: [] as [text: string, answer: Answer][],
    home: '',
    /** The path of a file in the cache of the model. */
    cached: (...names: string[]) => path.join(fixture.home, 'hub/models--org--model', ...names),
    /** Nothing of the hub's variables in the environment of the tests. */
    environment: (): Record<string, string> => ({
      ...Object.fromEntries(
        Object.keys(process.env).flatMap((name) => (name.startsWith('HF_') ? [[name, '']] : [])),
      ),
      ...{ HF_HOME: fixture.home, HF_ENDPOINT: hub.endpoint },
    }),
    run: (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
      outcome(['fetch', 'org/model', ...args], { env: { ...fixture.environment(), ...env } }),
  };
  const serve: Answer = (request, response) => {
    const url = decodeURIComponent(request.url ?? '');
    const fault = fixture.faults.findIndex(([text]) => url.includes(text));
    if (fault >= 0) {
      fixture.faults.splice(fault, 1)[0][1](request, response);
    } else if (url.includes('/revision/')) {
      response.end(JSON.stringify({ sha: COMMIT }));
    } else if (url.includes('/tree/')) {
      const from = Number(/cursor=(\d+)/.exec(url)?.[1] ?? 0);
      const all = Object.entries(fixture.files).map(listed);
      const next = `<http://127.0.0.1:1/elsewhere?recursive=true&cursor=${from + PAGE}>; rel="next"`;
      if (from + PAGE < all.length) response.setHeader('link', next);
      response.end(JSON.stringify(all.slice(from, from + PAGE)));
    } else {
      const [, place, name] = /^.*?\/(resolve|blob)\/\w+\/([^?]*)/.exec(url) ?? [];
      const content = fixture.files[name];
      const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const large = `${blobs.endpoint}/blob/${COMMIT}/${name}?signature=s`;
      if (place === 'resolve' && content.length > LARGE) response.writeHead(302, { location: large });
      else if (start > 0)
        response.writeHead(206, { 'content-range': `bytes ${start}-${content.length - 1}/*` });
      response.end(content.subarray(start));
    }
  };
  const [hub, blobs] = [answeringServer('http', serve), answeringServer('http', serve)];
  beforeEach(() => {
    Object.assign(fixture, { files: {}, faults: [], home: temporaryFolder() });
  });
  return Object.assign(fixture, { hub, blobs });
}
