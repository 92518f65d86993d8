/** Runs the compiled child, because peak memory is a figure of a whole process. */
import * as path from 'node:path';
import { inChild } from '../../../bench/measure';
import type { Sent } from '../../../bench/runtime/send-child';
import { PROTOCOLS, startSink, type Protocol } from '../../support/sink';

const CHILD = path.join(__dirname, '../../../dist/bench/runtime/send-child.js');
const MEGABYTES = 128;

async function extraMegabytes(protocol: Protocol): Promise<number> {
  const sink = await startSink(protocol);
  try {
    const { extraMemoryBytes } = await inChild<Sent>(CHILD, {
      endpoint: sink.endpoint,
      ca: sink.ca,
      megabytes: MEGABYTES,
    });
    return extraMemoryBytes / 1e6;
  } finally {
    await sink.close();
  }
}

describe('writing a tensor', () => {
  // A tensor that is encrypted as one chunk takes twice its size.
  it.each(PROTOCOLS)('of 128 MB takes less than 48 MB more memory over %s', async (protocol) => {
    expect(await extraMegabytes(protocol)).toBeLessThan(48);
  });
});
