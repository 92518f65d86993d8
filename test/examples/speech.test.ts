/** The parts of the example of speech detection. */
import { CHUNK, CONTEXT, RATE } from '../../examples/speech/chunks';
import { speechProbabilities, speechSegments, type Detector } from '../../examples/speech/detect';
import { decodeWav, encodeWav } from '../../examples/speech/wav';

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
  it('keeps samples to 16 bits', () => {
    const samples = Float32Array.of(0, 0.5, -0.5, 1, -1);
    const decoded = decodeWav(encodeWav(samples));
    expect(decoded).toHaveLength(samples.length);
    decoded.forEach((sample, at) => {
      expect(sample).toBeCloseTo(samples[at], 4);
    });
  });

  it('is refused with another rate', () => {
    const file = encodeWav(new Float32Array(4));
    file.writeUInt32LE(8000, 24);
    expect(() => decodeWav(file)).toThrow(
      'the recording must have PCM, 1 channel, 16 bits and 16000 Hz, got format 1, 1 channels, 16 bits and 8000 Hz: ',
    );
  });

  it.each([Buffer.alloc(0), Buffer.alloc(100), Buffer.from('RIFF')])(
    'is refused with other content',
    (file) => {
      expect(() => decodeWav(file)).toThrow('the recording must be a WAV file, got other content');
    },
  );

  it('is refused without samples', () => {
    const file = encodeWav(new Float32Array(4));
    file.write('junk', 36);
    expect(() => decodeWav(file)).toThrow('the recording must have samples, got no data chunk');
  });
});
