/** Builds small files that are expensive to read: models that repeat, nest or multiply one part. */
import type { Random } from './random';
import { functions, headOf, identity, input, model, name, nestedIn, node, output, weight } from './raw-model';
import { repeatedFields } from './repeated-fields';
import type { WireField } from './wire-tree';
import { field, integer } from './wire-tree';

/** Limit of a bomb's file, in bytes. The memory of a reader must stay in proportion to the file. */
const MOST_BYTES = 3_000_000;
const MOST_DEPTH = 20_000;

type Bomb = (random: Random) => Uint8Array;

export const BOMBS: Readonly<Record<string, Bomb>> = {
  'repeated fields': (random) => repeatedFields(random, MOST_BYTES),
  'a long chain': (random) => {
    const count = random.magnitude(20_000);
    return model([
      ...Array.from({ length: count }, (_, i) => node('Abs', [name(i)], [name(i + 1)])),
      input(name(0)),
      output(name(count)),
    ]);
  },
  'a dense graph': (random) => {
    const count = random.magnitude(2000);
    const width = random.magnitude(100);
    const nodes = Array.from({ length: count }, (_, i) =>
      node(
        'Sum',
        Array.from({ length: Math.min(width, i + 1) }, () => name(random.below(i + 1))),
        [name(i + 1)],
      ),
    );
    return model([...nodes, input(name(0)), output(name(count))]);
  },
  'a wide node': (random) => {
    const count = random.magnitude(100_000);
    const names = Array.from({ length: count }, (_, i) => name(i));
    const wide = random.chance(0.5);
    return model([
      wide
        ? node('Split', ['x'], names)
        : node(
            'Sum',
            names.map(() => 'x'),
            ['y'],
          ),
      input('x'),
      output(wide ? name(0) : 'y'),
    ]);
  },
  'a chain of constants': (random) => {
    const count = random.magnitude(20_000);
    const constants = Array.from({ length: count }, (_, i) => node('Abs', [name(i)], [name(i + 1)]));
    const users = Array.from({ length: count }, (_, i) => node('Add', [`u${i}`, name(i)], [`u${i + 1}`]));
    return model([...constants, ...users, weight(name(0)), input('u0'), output(`u${count}`)]);
  },
  'unused casts': (random) => {
    const count = random.magnitude(30_000);
    const to = field(5, [field(1, 'to'), integer(3, 1), integer(20, 2)]);
    const casts = Array.from({ length: count }, (_, i) => node('Cast', ['y'], [name(i)], [to]));
    return model([node('Cast', ['x'], ['y'], [to]), ...casts, input('x'), output('y')]);
  },
  'nested graphs': (random) => {
    const bodies = random.pick([1, 1, 2]);
    const nodes: WireField[] = Array.from({ length: random.magnitude(50) }, (_, i) =>
      node('Add', [name(i), 'x'], [`n${i}`]),
    );
    return model([
      ...nestedIn(nodes, random.magnitude(bodies === 1 ? 3000 : 12), bodies),
      input('x'),
      output('y'),
    ]);
  },
  'captures at every depth': (random) => {
    const count = random.magnitude(5000);
    const values = Array.from({ length: count }, (_, i) => node('Abs', ['x'], [name(i)]));
    const inner = values.map((_, i) => node('Neg', [name(i)], [`n${i}`]));
    return model([...values, ...nestedIn(inner, random.magnitude(64), 1), input('x'), output('y')]);
  },
  'nested types': (random) => {
    const [outer, inner] = random.pick([
      [4, 1],
      [9, 1],
    ]);
    let type: Uint8Array[] = [];
    let length = 0;
    for (let depth = random.magnitude(MOST_DEPTH); depth > 0; depth--) {
      for (const number of [inner, outer]) {
        const head = headOf(number, length);
        type.push(head);
        length += head.length;
      }
    }
    type = type.reverse();
    return model([
      node('Identity', ['x'], ['y']),
      field(11, [field(1, 'x'), field(2, Buffer.concat(type))]),
      output('y'),
    ]);
  },
  'many functions': (random) => {
    const count = random.magnitude(20_000);
    const called = random.below(count);
    return model(
      identity(called),
      functions(count, () => []),
    );
  },
  'a chain of functions': (random) => {
    const count = random.magnitude(10_000);
    return model(
      identity(0),
      functions(count, (i) => (i + 1 < count ? [i + 1] : [])),
    );
  },
  'functions in a circle': (random) => {
    const count = random.magnitude(1000);
    return model(
      identity(0),
      functions(count, (i) => [(i + 1) % count]),
    );
  },
  'functions of functions': (random) => {
    const count = random.magnitude(60);
    const fanOut = random.between(2, 4);
    return model(
      identity(0),
      functions(count, (i) => (i + 1 < count ? Array<number>(fanOut).fill(i + 1) : [])),
    );
  },
  'functions that all call one': (random) => {
    const count = random.magnitude(10_000);
    return model(
      identity(1),
      functions(count, (i) => (i === 0 ? [] : [0])),
    );
  },
  'calls of many functions': (random) => {
    const count = random.magnitude(300);
    return model(
      identity(0),
      functions(count, (i) => Array.from({ length: count - i - 1 }, (_, j) => i + j + 1).slice(0, 30)),
    );
  },
  'weights that share their bytes': (random) => {
    const count = random.magnitude(5000);
    const entries = [field(13, [field(1, 'location'), field(2, 'w.bin')]), integer(14, 1)];
    const weights = Array.from({ length: count }, (_, i) =>
      field(5, [integer(1, 2048), integer(2, 1), field(8, name(i)), ...entries]),
    );
    const adds = Array.from({ length: count }, (_, i) => node('Add', [`u${i}`, name(i)], [`u${i + 1}`]));
    return model([...weights, ...adds, input('u0', 2048), output(`u${count}`)]);
  },
  'weights that are inputs too': (random) => {
    const count = random.magnitude(20_000);
    const weights = Array.from({ length: count }, (_, i) => [weight(name(i)), input(name(i))]).flat();
    const adds = Array.from({ length: count }, (_, i) => node('Add', [`u${i}`, name(i)], [`u${i + 1}`]));
    return model([...weights, ...adds, input('u0'), output(`u${count}`)]);
  },
  'long names': (random) => {
    const long = 'n'.repeat(random.magnitude(200_000));
    const count = random.magnitude(Math.max(1, Math.floor(MOST_BYTES / long.length / 2)));
    const nodes = Array.from({ length: Math.min(count, 10_000) }, (_, i) =>
      node('Abs', [i === 0 ? 'x' : `${long}${i - 1}`], [i === count - 1 ? 'y' : `${long}${i}`]),
    );
    return model([...nodes, input('x'), output('y')]);
  },
};
