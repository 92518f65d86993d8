/** Requests that are expensive to read, as JSON. */
import type { Random } from '../random';

/** An event has at most 6 MB: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MOST_CHARACTERS = 3_000_000;

export const REQUEST_BOMBS: Readonly<Record<string, (random: Random) => string>> = {
  'deep nesting': nested,
  'deep nesting in a field': (random) => {
    const field = random.pick(['version', 'inputs', 'output', 'requestBytes', 'x']);
    return `{"version":1,"inputs":{"s3":"inputs/tiny"},"${field}":${nested(random)}}`;
  },
  'deep nesting in a tensor': (random) => {
    const field = random.pick(['dtype', 'shape', 'data', 'base64', 'x']);
    return requestWith(`{"dtype":"float32","shape":[1,3],"data":[1,2,3],"${field}":${nested(random)}}`);
  },
  'deep nesting in an element': (random) =>
    requestWith(`{"dtype":"string","shape":[1],"data":[${nested(random)}]}`),
  'many elements': (random) => {
    const rows = random.magnitude(MOST_CHARACTERS / 12);
    const stated = rows + random.below(2);
    return requestWith(`{"dtype":"float32","shape":[${stated},3],"data":[${'1,'.repeat(3 * rows - 1)}1]}`);
  },
  'many bytes': (random) => {
    const quads = random.magnitude(MOST_CHARACTERS / 4);
    const base64 = 'A'.repeat(4 * quads - random.below(2));
    return requestWith(`{"dtype":"uint8","shape":[${3 * quads}],"base64":"${base64}"}`);
  },
  'many sizes': (random) =>
    requestWith(`{"dtype":"float32","shape":[${'1,'.repeat(random.magnitude(1_000_000))}1],"data":[1]}`),
  'many tensors': (random) => {
    const tensors = Array.from(
      { length: random.magnitude(40_000) },
      (_, index) => `"x${index}":{"dtype":"int8","shape":[0],"data":[]}`,
    );
    return `{"version":1,"inputs":{"tensors":{${tensors.join(',')}}}}`;
  },
  'a long name': (random) => {
    const name = random
      .pick(['n', '\\n', '\\u0085', '\\ud800'])
      .repeat(random.magnitude(MOST_CHARACTERS / 6));
    return `{"version":1,"inputs":{"tensors":{"${name}":{"dtype":"int8","shape":[0],"data":[]}}}}`;
  },
  'a long key': (random) =>
    `{"version":1,"inputs":{"s3":"inputs/${random.pick(['k', '/', '\\u0000']).repeat(random.magnitude(400_000))}"}}`,
  'too large for the state machine': (random) =>
    `{"requestBytes":${random.pick([261_120, 261_121, 1e300, -1, 0.5, '"x"', 'null'])}}`,
  'no object': (random) => random.pick(['null', '1', '-0', '"text"', '[]', 'true', '[[]]', '""']),
};

function nested(random: Random): string {
  const depth = random.magnitude(MOST_CHARACTERS / 12);
  const [start, end] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
  ]);
  return `${start.repeat(depth)}1${end.repeat(depth)}`;
}

function requestWith(tensor: string): string {
  return `{"version":1,"inputs":{"tensors":{"x":${tensor},"scale":{"dtype":"float32","shape":[1,3],"data":[1,1,1]}}}}`;
}
