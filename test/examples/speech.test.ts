/** Recordings that the example of speech detection refuses. `npm run check:examples` finds the speech in one. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { decodeWav } from '../../examples/speech/wav';

test.each<[what: string, edit: (file: Buffer) => Buffer | number, message: string]>([
  ['a rate', (file) => file.writeUInt32LE(8000, 24), '16000 Hz, got format 1, 1 channels, 16 bits and 8000'],
  ['no samples', (file) => file.write('junk', 36), 'must have samples, got no data chunk'],
  ['other content', () => Buffer.alloc(100), 'must be a WAV file, got other content'],
  ['hardly any content', () => Buffer.from('RIFF'), 'must be a WAV file, got other content'],
])('a WAV file with %s is refused', (_, edit, message) => {
  const file = fs.readFileSync(path.join(__dirname, '../../examples/speech/recording.wav'));
  const edited = edit(file);
  expect(() => decodeWav(typeof edited === 'number' ? file : edited)).toThrow(message);
});
