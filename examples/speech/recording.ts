/** Generates a recording, so that the example needs no audio file: noise, vowels like those of a voice, and a tone. */
import { RATE } from './chunks';

/** Frequencies of the first three resonances of a mouth, in hertz, for the vowels of father, bet, beet, boot and bought. */
const VOWELS = [
  [730, 1090, 2440],
  [530, 1840, 2480],
  [270, 2290, 3010],
  [300, 870, 2240],
  [570, 840, 2410],
];
const BANDWIDTHS = [80, 100, 140];
const SYLLABLE_SECONDS = 0.22;

/** The parts of the recording, in its order, each with its largest sample. */
export const PARTS = [
  { name: 'noise', seconds: 0.5, peak: 0.002 },
  { name: 'voice', seconds: 1, peak: 0.5 },
  { name: 'tone', seconds: 0.5, peak: 0.3 },
] as const;

/** Returns samples from -1 to 1, the same ones each time. */
export function generatedRecording(): Float32Array {
  const random = randomNumbers();
  const makers = { noise: () => random, voice: () => voice(random), tone: () => tone };
  return Float32Array.from(
    PARTS.flatMap(({ name, seconds, peak }) => {
      const sampleAt = makers[name]();
      const samples = Array.from({ length: Math.round(seconds * RATE) }, (_, at) => sampleAt(at / RATE));
      const largest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
      return samples.map((sample) => (sample / largest) * peak);
    }),
  );
}

type Sampler = (seconds: number) => number;

function tone(seconds: number): number {
  return Math.sin(2 * Math.PI * 440 * seconds);
}

/** Pulses of vocal cords, in syllables, through the resonances of a mouth that changes its form. */
function voice(random: () => number): Sampler {
  let phase = 0;
  let syllable = -1;
  let mouth: readonly ((sample: number) => number)[] = [];
  return (seconds) => {
    const place = seconds / SYLLABLE_SECONDS;
    if (Math.floor(place) !== syllable) {
      syllable = Math.floor(place);
      mouth = VOWELS[syllable % VOWELS.length].map((hertz, at) => resonance(hertz, BANDWIDTHS[at]));
    }
    const within = place % 1;
    const pitch = 120 + 25 * Math.sin(4.4 * seconds) - 30 * within + 4 * Math.sin(31 * seconds);
    phase += pitch / RATE;
    const pulse = phase >= 1 ? 20 : 0;
    phase %= 1;
    const sound = mouth.reduce((sample, filter) => filter(sample), pulse + 0.02 * random());
    const loudness = within < 0.8 ? Math.sin((Math.PI * within) / 0.8) ** 0.7 : 0;
    // Vowels, and a hiss between them.
    return loudness * sound + (within > 0.82 ? 0.03 * random() : 0);
  };
}

/** A filter of two poles. */
function resonance(hertz: number, bandwidth: number): (sample: number) => number {
  const radius = Math.exp((-Math.PI * bandwidth) / RATE);
  const feedback = 2 * radius * Math.cos((2 * Math.PI * hertz) / RATE);
  const gain = 1 - feedback + radius ** 2;
  let [last, beforeLast] = [0, 0];
  return (sample) => {
    [last, beforeLast] = [gain * sample + feedback * last - radius ** 2 * beforeLast, last];
    return last;
  };
}

/** From -1 to 1, by the linear congruential generator of "Numerical Recipes". */
function randomNumbers(): () => number {
  let seed = 1;
  return () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return (seed / 2 ** 32) * 2 - 1;
  };
}
