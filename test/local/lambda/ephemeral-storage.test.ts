/** The wrapped functions of Node.js, in workers with each release of it. */
import type { FunctionPool } from '../../../local/lambda/function-pool';
import type { NodeBinaries } from '../../../local/lambda/node-binaries';
import { call, functionFixture } from '../../support/function-fixture';
import { allNodes } from '../../support/other-nodes';

const functions = functionFixture();

/** Each way writes `bytes` into the file, which does not exist. */
const WAYS = `
const fs = require('node:fs'), fsp = require('node:fs/promises'), path = require('node:path');
const { Readable } = require('node:stream'), { pipeline } = require('node:stream/promises');
const done = (start) => new Promise((resolve, reject) => start((error) => (error ? reject(error) : resolve())));
const withFd = (file, use) => { const fd = fs.openSync(file, 'w'); try { return use(fd); } finally { fs.closeSync(fd); } };
const withHandle = async (file, use) => { const handle = await fsp.open(file, 'w'); try { await use(handle); } finally { await handle.close(); } };
const withSource = async (file, bytes, use) => {
  const source = path.join(process.env.LAMBDA_TASK_ROOT, 'source-' + bytes);
  if (!fs.existsSync(source)) { fs.mkdirSync(source); fs.ftruncateSync(fs.openSync(path.join(source, 'file'), 'w'), bytes); }
  await use(source);
};
const ways = {
  writeFileSync: (file, bytes) => fs.writeFileSync(file, Buffer.alloc(bytes)),
  'writeFileSync of text': (file, bytes) => fs.writeFileSync(file, 'x'.repeat(bytes)),
  appendFileSync: (file, bytes) => fs.appendFileSync(file, 'x'.repeat(bytes)),
  writeSync: (file, bytes) => withFd(file, (fd) => fs.writeSync(fd, Buffer.alloc(bytes))),
  'writeSync of text': (file, bytes) => withFd(file, (fd) => fs.writeSync(fd, 'é'.repeat(bytes / 2))),
  writevSync: (file, bytes) => withFd(file, (fd) => fs.writevSync(fd, [Buffer.alloc(bytes - 1), Buffer.alloc(1)])),
  write: (file, bytes) => done((callback) => fs.write(fs.openSync(file, 'w'), Buffer.alloc(bytes), callback)),
  writev: (file, bytes) => done((callback) => fs.writev(fs.openSync(file, 'w'), [Buffer.alloc(bytes)], callback)),
  writeFile: (file, bytes) => done((callback) => fs.writeFile(file, Buffer.alloc(bytes), callback)),
  appendFile: (file, bytes) => done((callback) => fs.appendFile(file, 'x'.repeat(bytes), callback)),
  createWriteStream: (file, bytes) => pipeline(Readable.from([Buffer.alloc(bytes)]), fs.createWriteStream(file)),
  'promises.writeFile': (file, bytes) => fsp.writeFile(file, Buffer.alloc(bytes)),
  'promises.writeFile of text': (file, bytes) => fsp.writeFile(file, 'x'.repeat(bytes)),
  'promises.appendFile': (file, bytes) => fsp.appendFile(file, Buffer.alloc(bytes)),
  'FileHandle.write': (file, bytes) => withHandle(file, (handle) => handle.write(Buffer.alloc(bytes))),
  'FileHandle.writev': (file, bytes) => withHandle(file, (handle) => handle.writev([Buffer.alloc(bytes)], 0)),
  'FileHandle.writeFile': (file, bytes) => withHandle(file, (handle) => handle.writeFile(Buffer.alloc(bytes))),
  'FileHandle.createWriteStream': (file, bytes) => withHandle(file, (handle) => pipeline(Readable.from([Buffer.alloc(bytes)]), handle.createWriteStream())),
  copyFileSync: (file, bytes) => withSource(file, bytes, (source) => fs.copyFileSync(path.join(source, 'file'), file)),
  copyFile: (file, bytes) => withSource(file, bytes, (source) => done((callback) => fs.copyFile(path.join(source, 'file'), file, callback))),
  'promises.copyFile': (file, bytes) => withSource(file, bytes, (source) => fsp.copyFile(path.join(source, 'file'), file)),
  'promises.cp': (file, bytes) => withSource(file, bytes, (source) => fsp.cp(source, file, { recursive: true })),
  cpSync: (file, bytes) => withSource(file, bytes, (source) => fs.cpSync(source, file, { recursive: true })),
  'a file with holes that are filled': (file, bytes) => withHandle(file, async (handle) => {
    await handle.truncate(2 * bytes);
    await handle.write(Buffer.alloc(bytes), 0, bytes, 100);
  }),
};`;

const MEGABYTE = 1024 * 1024;

/** Room for the blocks of folders and of the ends of files. */
const ROOM = 3 * 4096;

describe.each(allNodes())('in a /tmp of 1 MB on %s', (_, program) => {
  const nodes = { find: () => Promise.resolve(program) } as unknown as NodeBinaries;
  async function create(source: string): Promise<FunctionPool> {
    const options = { ephemeralStorageMegabytes: 1 };
    return await functions.create(WAYS + source, options, { nodes });
  }

  test('each way to write fails if it writes too much, and succeeds if it fits', async () => {
    const pool = await create(`exports.handler = async ({ fits, exceeds }) => {
      const results = {};
      const file = path.join(process.env.TMPDIR, 'file');
      for (const [name, way] of Object.entries(ways)) {
        results[name] = [];
        for (const bytes of [fits, exceeds]) {
          try { await way(file, bytes); results[name].push('written'); } catch (error) { results[name].push(error.code + ': ' + error.message); }
          fs.rmSync(file, { recursive: true, force: true });
        }
      }
      return results;
    };`);
    const sizes = { fits: MEGABYTE - ROOM, exceeds: MEGABYTE + 2 };
    const results = await call<Record<string, string[]>>(pool, sizes);
    expect(Object.keys(results)).toHaveLength(24);
    for (const [name, [fitting, exceeding]] of Object.entries(results)) {
      expect([name, fitting]).toEqual([name, 'written']);
      expect([name, exceeding]).toEqual([
        name,
        expect.stringMatching(/^ENOSPC: ENOSPC: no space left on device, (write|copyfile|cp)$/),
      ]);
    }
  });

  test('many writes at the same time take no more than all space, and the rest fails', async () => {
    const pool = await create(`exports.handler = async () => {
      const handle = await fsp.open(path.join(process.env.TMPDIR, 'file'), 'w');
      const writes = Array.from({ length: 40 }, (_, index) => handle.write(Buffer.alloc(65536), 0, 65536, index * 65536));
      const results = await Promise.allSettled(writes);
      const size = fs.statSync(path.join(process.env.TMPDIR, 'file')).size;
      await handle.close();
      return { written: results.filter(({ status }) => status === 'fulfilled').length, size, last: results.at(-1).reason.code };
    };`);
    const { written, size, last } = await call<{ written: number; size: number; last: string }>(pool);
    expect([size, last]).toEqual([written * 65_536, 'ENOSPC']);
    expect(written).toBeGreaterThan(7);
    expect(written).toBeLessThanOrEqual(16);
  });

  test('a full disk still takes overwritten bytes, output and files elsewhere', async () => {
    const pool = await create(`exports.handler = async () => {
      const file = path.join(process.env.TMPDIR, 'file');
      fs.writeFileSync(file, Buffer.alloc(${MEGABYTE}));
      const fd = fs.openSync(file, 'r+');
      fs.writeSync(fd, Buffer.alloc(100), 0, 100, 50);
      fs.writeSync(1, 'text\\n');
      fs.writeFileSync(path.join(process.env.LAMBDA_TASK_ROOT, 'elsewhere'), Buffer.alloc(4096));
      try { fs.writeSync(fd, Buffer.alloc(1), 0, 1, ${MEGABYTE}); } catch (error) { return error.code; }
    };`);
    expect(await call(pool)).toBe('ENOSPC');
  });

  test('deleted and shortened files make room', async () => {
    const pool = await create(`exports.handler = async () => {
      const file = path.join(process.env.TMPDIR, 'file');
      for (let i = 0; i < 5; i++) {
        await fsp.writeFile(file, Buffer.alloc(${MEGABYTE}));
        if (i % 2) await fsp.rm(file); else await fsp.truncate(file);
      }
      return 'done';
    };`);
    expect(await call(pool)).toBe('done');
  });

  test('files of an earlier process of the sandbox count', async () => {
    const pool = await create(`exports.handler = async (exit) => {
      fs.writeFileSync(path.join(process.env.TMPDIR, String(exit)), Buffer.alloc(600 * 1024));
      if (exit) process.exit(1);
    };`);
    expect(await call(pool, true)).toMatchObject({ errorType: 'Runtime.ExitError' });
    expect(await call(pool, false)).toMatchObject({ errorMessage: 'ENOSPC: no space left on device, write' });
  });
});
