/** The parts of the example of speech detection. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { CHUNK, CONTEXT, RATE } from '../../examples/speech/chunks';
import { speechProbabilities, speechSegments, type Detector } from '../../examples/speech/detect';
import { decodeWav } from '../../examples/speech/wav';

describe('speechProbabilities', () => {
  it('carries the state and the end of each chunk into the next call', async () => {
    const seen: Record<string, { readonly data: Float32Array }>[] = [];
    const infer = (inputs: unknown) => {
      seen.push(inputs as (typeof seen)[number]);
      const stateN = { data: Float32Array.of(seen.length) };
      return Promise.resolve({ outputs: { output: { data: Float32Array.of(0.25) }, stateN } });
    };
    const samples = Float32Array.from({ length: CHUNK + 1 }, (_, at) => at + 1);
    const probabilities = await speechProbabilities({ infer } as unknown as Detector, samples);
    expect(probabilities).toEqual([0.25, 0.25]);
    expect(seen.map(({ state }) => [...state.data.subarray(0, 1)])).toEqual([[0], [1]]);
    expect(seen.map(({ input }) => input.data.length)).toEqual([CONTEXT + CHUNK, CONTEXT + CHUNK]);
    expect([...seen[1].input.data.subarray(0, CONTEXT)]).toEqual([
      ...samples.subarray(CHUNK - CONTEXT, CHUNK),
    ]);
    expect([...seen[1].input.data.subarray(CONTEXT, CONTEXT + 2)]).toEqual([CHUNK + 1, 0]);
  });
});

describe('speechSegments', () => {
  it('joins chunks that are at most a pause between syllables apart', () => {
    const segments = speechSegments([0.1, 0.5, 0.4, 0.9, 0, 0, 0, 0, 0.8]);
    const inChunks = segments.map(({ start, end }) =>
      [start, end].map((seconds) => (seconds * RATE) / CHUNK),
    );
    expect(inChunks).toEqual([
      [1, 4],
      [8, 9],
    ]);
  });
});

describe('a WAV file', () => {
  const recording = () => fs.readFileSync(path.join(__dirname, '../../examples/speech/recording.wav'));

  it.each<[what: string, edit: (file: Buffer) => Buffer | number, message: string]>([
    [
      'another rate',
      (file) => file.writeUInt32LE(8000, 24),
      '16000 Hz, got format 1, 1 channels, 16 bits and 8000 Hz',
    ],
    ['no samples', (file) => file.write('junk', 36), 'must have samples, got no data chunk'],
    ['other content', () => Buffer.alloc(100), 'must be a WAV file, got other content'],
    ['hardly any content', () => Buffer.from('RIFF'), 'must be a WAV file, got other content'],
  ])('is refused with %s', (_, edit, message) => {
    const file = recording();
    const edited = edit(file);
    expect(() => decodeWav(typeof edited === 'number' ? file : edited)).toThrow(message);
  });
});
