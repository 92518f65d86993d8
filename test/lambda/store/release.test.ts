import { setImmediate } from 'node:timers/promises';
import { release } from '../../../lambda/store/release';

const MB = 1024 * 1024;

// On Node.js 20, released memory is freed once a channel has closed, which takes some turns of the event loop.
beforeAll(async () => {
  for (;;) {
    const chunk = Buffer.alloc(MB, 1);
    const before = process.memoryUsage().arrayBuffers;
    release(chunk);
    if (before - process.memoryUsage().arrayBuffers >= MB) return;
    await setImmediate();
  }
});

it('releasing a chunk frees its memory at once, without a garbage collection', async () => {
  // On Node.js 20, the closed port frees buffers only from the next turn of the event loop on.
  await setImmediate();
  const chunks = Array.from({ length: 64 }, () => Buffer.alloc(MB, 1));
  const before = process.memoryUsage().arrayBuffers;
  chunks.forEach(release);
  expect(before - process.memoryUsage().arrayBuffers).toBeGreaterThanOrEqual(64 * MB);
  expect(chunks.every(({ byteLength }) => byteLength === 0)).toBe(true);
});

it('releasing a chunk does nothing to a part of a larger buffer, such as a small Buffer of Node.js', () => {
  const whole = new Uint8Array(10).fill(7);
  release(whole.subarray(0, 5));
  const small = Buffer.from('small');
  release(small);
  expect(whole).toEqual(new Uint8Array(10).fill(7));
  expect(small.toString()).toBe('small');
});
