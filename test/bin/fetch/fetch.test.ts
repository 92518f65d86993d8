/** `fetch` against a small server with the hub's interface. */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Answer } from '../../support/answering-server';
import { encodeModel, mlp } from '../../support/model-builder';
import { CLI, refuse, succeed } from '../../support/run-cli';
import { COMMIT, SINGLE, WEIGHTS, hubFixture, withExternal } from './hub-fixture';

const fixture = hubFixture();
const { hub, blobs, cached, run } = fixture;

const DATA = { 'onnx/model.onnx_data': WEIGHTS };
const EXTERNAL = { 'config.json': WEIGHTS, 'onnx/model.onnx': withExternal(), ...DATA };

/** The path that the command prints. It prints nothing else. */
async function fetched(args: readonly string[] = [], env?: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await run(args, env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.trimEnd();
}

/** The line of the error, after notes. */
async function refused(args: readonly string[] = [], env?: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await run(args, env);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^(note: [^\n]+\n)*error: [^\n]+\n$/);
  return stderr.replace(/^[^]*error: /, '').trimEnd();
}

/** Answers the next request whose address contains the text. */
function once(text: string, answer: Answer): void {
  fixture.faults.push([text, answer]);
}

const replies =
  (status: number, headers: Record<string, string> = {}, body: string | Uint8Array = ''): Answer =>
  (_, response) => {
    response.writeHead(status, headers).end(body);
  };

const contents = (): string[] => (fs.existsSync(cached('blobs')) ? fs.readdirSync(cached('blobs')) : []);

describe('a model', () => {
  test('comes with its external data, in the layout of the cache, once', async () => {
    fixture.files = EXTERNAL;
    const place = await fetched();
    expect(place).toBe(cached('snapshots', COMMIT, 'onnx/model.onnx'));
    expect(fs.readlinkSync(place)).toMatch(/^\.\.\/\.\.\/\.\.\/blobs\/[0-9a-f]{40}$/);
    expect(fs.readlinkSync(`${place}_data`)).toMatch(/^\.\.\/\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/);
    expect(fs.readFileSync(cached('refs/main'), 'utf8')).toBe(COMMIT);
    for (const level of ['none', 'extended'])
      expect(await succeed(['verify', place, '--optimize', level])).toContain('identical');

    const asked = ['--file', 'onnx/model.onnx'];
    hub.reset();
    expect(await fetched(asked)).toBe(place);
    expect(hub.requests.map(({ url }) => url)).toEqual(['/api/models/org/model/revision/main']);
    hub.reset();
    expect(await fetched([...asked, '--revision', COMMIT])).toBe(place);
    expect(await fetched(asked, { HF_HUB_OFFLINE: '1' })).toBe(place);
    expect(hub.requests).toEqual([]);
  });

  test.each([
    ['HF_HUB_CACHE', '~/hub', 'hub'],
    ['XDG_CACHE_HOME', '~', 'huggingface/hub'],
  ])('is in the folder that %s names as %s', async (name, value, folder) => {
    fixture.files = SINGLE;
    const place = await fetched([], { HF_HOME: '', HOME: fixture.home, [name]: value });
    expect(place).toContain(path.join(fixture.home, folder, 'models--org--model'));
  });

  test('is chosen by --file from a list', async () => {
    const others = ['fp16', 'q4f16', 'int8'].map((end) => ({ [`onnx/model_${end}.onnx`]: WEIGHTS }));
    fixture.files = Object.assign({ ...EXTERNAL }, ...others) as typeof fixture.files;
    const { code, stdout, stderr } = await run([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.replaceAll(/ {2,}/g, '  ').split('\n')).toEqual([
      'file  size',
      'onnx/model.onnx  16.1 KB',
      'onnx/model_fp16.onnx  16 KB',
      'onnx/model_int8.onnx  16 KB',
      'onnx/model_q4f16.onnx  16 KB',
      "error: one of the 4 ONNX files of 'org/model' must be chosen, got no --file: choose one with --file, such as --file onnx/model.onnx",
      '',
    ]);
    const wrong = await refused(['--file', 'onnx/modle_fp16.onnx']);
    expect(wrong).toContain(
      "must have the file of --file at main, got no file 'onnx/modle_fp16.onnx': leave --file out to list the ONNX",
    );
  });

  test.each([
    ['model.pt', WEIGHTS, 'must have an ONNX file, got 1 file without one: export it, for example'],
    ['model.onnx', withExternal(), "got no file 'model.onnx_data': the repository is incomplete: choose"],
    ['model.onnx', Buffer.from('<html>not ONNX'), 'must be an ONNX file, got an HTML page: '],
  ])('is refused if the repository lacks it: %#', async (name, content, message) => {
    fixture.files = { [name]: content };
    expect(await refused()).toContain(message);
  });
});

describe('a download', () => {
  const whole = SINGLE['model.onnx'];

  test.each([
    ['continues as long as bytes come', 5, undefined],
    ['starts over if the server ignores the range', 1, replies(200, {}, whole)],
  ])('whose connection is lost %s', async (_, times, last) => {
    fixture.files = SINGLE;
    for (let at = 0; at < times; at++)
      once('/blob/', (__, response) => {
        response.writeHead(206, { 'content-range': `bytes ${at}-` });
        response.write(whole.subarray(at, at + 1), () => response.destroy());
      });
    if (last) once('/blob/', last);
    const { code, stdout, stderr } = await run([]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^(note: the connection was lost \([^)]+\): trying again \(1 of 3\)\n)+$/);
    expect(fs.readFileSync(stdout.trimEnd())).toEqual(whole);
    expect(blobs.requests.at(-1)?.headers.range).toBe(`bytes=${times}-`);
  });

  test('continues what an interrupted command has left', async () => {
    fixture.files = SINGLE;
    const place = await fetched();
    const blob = fs.realpathSync(place);
    fs.renameSync(blob, `${blob}.incomplete`);
    fs.truncateSync(`${blob}.incomplete`, 100);
    await fetched();
    expect(blobs.requests.at(-1)?.headers.range).toBe('bytes=100-');
    expect(fs.readFileSync(place)).toEqual(whole);
  });

  test.each([
    [Buffer.alloc(whole.length), /have the SHA-256 [0-9a-f]{64}, got [0-9a-f]{64}: it was removed; run the/],
    [Buffer.concat([whole, whole]), /got \d+ bytes instead of \d+ for 'model.onnx': try again later$/],
  ])('with a wrong digest or size is refused: %#', async (content, message) => {
    fixture.files = SINGLE;
    once('/blob/', replies(200, {}, content));
    expect(await refused()).toMatch(message);
    expect(fs.existsSync(cached('snapshots'))).toBe(false);
    expect(fs.readFileSync(await fetched())).toEqual(whole);
  });

  test('is tried again after silence and faults of the hub, but not for ever', async () => {
    once('/revision/', () => undefined);
    for (const status of [500, 502, 503]) once('/revision/', replies(status));
    const line = await refused([], { HF_HUB_DOWNLOAD_TIMEOUT: '1' });
    expect(line).toMatch(/must be reachable, got the hub answered 503: run the command again later to/);
  });

  test('needs room on the disk', async () => {
    fixture.files = { 'model.onnx': encodeModel(mlp(40)) };
    const limited = ['-c', 'ulimit -f 16; exec "$0" "$@"', process.execPath, CLI, 'fetch', 'org/model'];
    const env = { ...process.env, ...fixture.environment() };
    const stderr = await new Promise<string>((resolve) => {
      execFile('sh', limited, { env }, (...[, , printed]) => {
        resolve(printed);
      });
    });
    expect(stderr).toMatch(
      /^error: .* must have room for 'model.onnx', got .* after \d+ of 48540 bytes: free/,
    );
    expect(contents()).toEqual([expect.stringMatching(/\.incomplete$/)]);
    expect(fs.existsSync(cached('snapshots'))).toBe(false);

    const huge = [{ type: 'file', path: 'huge.onnx', oid: '0'.repeat(40), size: 2 ** 52 }];
    once('/tree/', replies(200, {}, JSON.stringify(huge)));
    expect(await refused()).toMatch(
      /must have 4,096 TB of free space, got [\d.]+ [A-Z]+: free some space, or set/,
    );
    await fetched();
  });
});

describe('nothing leads outside', () => {
  test.each(['../up.onnx', '/etc/up.onnx', 'a/../../up.onnx', 'C:/up.onnx', 'a\\up.onnx', 'a//up.onnx'])(
    'a listed path: %s',
    async (name) => {
      fixture.files = { [name]: WEIGHTS };
      expect(await refused()).toContain(`must have paths inside it, got '${name}': do not use this model`);
      expect(contents()).toEqual([]);
    },
  );

  test.each(['../up.bin', '/etc/passwd', 'a/../../up.bin', 'a\\..\\up.bin'])(
    'external data: %s',
    async (location) => {
      fixture.files = { 'onnx/model.onnx': withExternal(location), 'up.bin': WEIGHTS };
      expect(await refused()).toMatch(/^external data of .* must stay inside the model's folder, got '/);
      expect(contents()).toHaveLength(1);
    },
  );

  test.each([
    ['file:///etc/passwd', "a redirect to 'file://'"],
    ['http://example.com/x?secret=1', "a redirect to 'http://example.com'"],
    ['https://:hunter2@example.com/x?sig=1', "a redirect to 'https://example.com'"],
    ['/org/model/resolve/again', 'more than 5 redirects'],
  ])('a redirect: %s', async (location, got) => {
    fixture.files = SINGLE;
    for (let count = 0; count < 6; count++) once('/resolve/', replies(302, { location }));
    expect(await refused()).toContain(`must answer as the hub does, got ${got}: `);
  });

  test('the token, except to the hub', async () => {
    fixture.files = SINGLE;
    const HF_TOKEN = 'hf_verySecretToken';
    once('/blob/', replies(418));
    const printed = [await refused([], { HF_TOKEN }), await fetched([], { HF_TOKEN })];
    printed.push(await refused([], { HF_TOKEN: `${HF_TOKEN}\nx` }));
    expect(printed.join()).not.toContain(HF_TOKEN);
    const sent = (server: typeof hub) => new Set(server.requests.map(({ headers }) => headers.authorization));
    expect([sent(hub), sent(blobs)]).toEqual([new Set([`Bearer ${HF_TOKEN}`]), new Set([undefined])]);
    fs.writeFileSync(path.join(fixture.home, 'token'), 'hf_stored\n');
    await fetched([], { HF_TOKEN: ' ' });
    expect(sent(hub)).toContain('Bearer hf_stored');
    once('/revision/', replies(401));
    expect(await refused()).toMatch(
      /^the token in '.*\/token' must be valid, got .*: log in again with `hf auth/,
    );
    hub.reset();
    await fetched([], { HF_TOKEN, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' });
    expect(sent(hub)).toEqual(new Set([undefined]));
  });
});

describe('refusals', () => {
  test.each([
    [401, '', '', "'org/model' must exist and be public, got status 401 from the hub: check the name; for a"],
    [401, '', 'hf_x', 'HF_TOKEN must be valid, got status 401 from the hub: copy it again, make a new'],
    [403, 'GatedRepo', 'hf_x', 'must be open to you, got a gated model: accept its terms at http://127'],
    [404, 'RepoNotFound', '', "'org/model' must exist and be public, got status 404 "],
    [404, 'RevisionNotFound', '', "'org/model' must have the revision 'main', got status 404 "],
    [429, '', '', 'must not be asked too often, got status 429 from the hub: try again after 7 s, or set'],
  ])('status %d %s', async (status, code, token, message) => {
    once('/revision/', replies(status, { 'retry-after': '7', 'x-error-code': code }));
    expect(await refused([], { HF_TOKEN: token })).toContain(message);
  });

  test.each([
    ['/revision/', '<html>', 'as the hub does, got an answer that is not JSON: check HF_ENDPOINT'],
    ['/revision/', '{"sha": "main"}', 'as the hub does, got a revision without a commit: '],
    ['/revision/', ' '.repeat(9 * 2 ** 20), 'as the hub does, got an answer of more than 8 MB: '],
    ['/tree/', `[{}${',{}'.repeat(8000)}]`, 'at most 20000 files and folders, got more: '],
    ['/tree/', '[{}]', 'as the hub does, got a list that repeats itself: check HF_ENDPOINT'],
    ['/tree/', '[{"type": "file", "path": {"toString": 1}}]', 'paths inside it, got one that is not text: '],
    ['/tree/', '[{"type": "file", "path": "\\u202exnno"}]', "paths inside it, got '\\u202exnno': "],
  ])('an answer to %s: %#', async (place, body, message) => {
    // The page after the third one is the second one again.
    for (let page = 0; page < 3; page++)
      once(place, replies(200, { link: `</?x=${page % 2}>; rel="next"` }, body));
    expect(await refused()).toContain(message);
  });

  test.each([
    [
      ['https://huggingface.co/org/model/tree/main'],
      /must be a name on the hub, .*: pass a name such as org\/model$/,
    ],
    [['../model'], /got '..\/model': pass a name such as organization\/model$/],
    [['org/model', '--file', '../model.onnx'], /^--file must be the path of an \.onnx file/],
    [['org/model', '--file', 'model.safetensors'], /^--file must be the path of an \.onnx file/],
    [['org/model', '--revision', '../x'], /^--revision must be a branch, a tag or a commit, got '..\/x'/],
  ])('%j', async (args, message) => {
    expect(await refuse(['fetch', ...args])).toMatch(message);
  });

  test.each([
    ['HF_ENDPOINT', 'http://example.com https://me:secret@host https://:secret@host me:secret@host hub'],
    ['HF_HUB_DOWNLOAD_TIMEOUT', '-5 0.5 10000000 x'],
  ])('%s', async (name, values) => {
    for (const value of values.split(' ')) {
      const line = await refused([], { [name]: value });
      expect(line).toMatch(/^HF_\w+ must be (an https address without cred.*|1 to 2147483 seconds), got /);
      expect(line).not.toContain('secret');
    }
  });
});
