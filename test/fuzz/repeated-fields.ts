/** The simplest bomb: a model that repeats one empty or small field. */
import type { Random } from './random';
import { model, node, output } from './raw-model';
import type { WireField } from './wire-tree';
import { encode, field, integer } from './wire-tree';

const MOST_COUNT = 300_000;

/** A valid model that repeats one field at one place, in a file of at most `mostBytes`. */
export function repeatedFields(random: Random, mostBytes: number): Uint8Array {
  const place = random.pick([
    'model',
    'graph',
    'node',
    'attribute',
    'tensor',
    'sparse',
    'input',
    'type',
    'shape',
    'function',
    'entry',
  ] as const);
  const number = random.between(1, 26);
  const payload = random.pick([
    [],
    [field(1, 'x')],
    [field(4, 'Abs')],
    [field(1, 'x'), field(2, 'y')],
    [field(4, 'Abs'), field(1, 'x')],
    [field(8, 'w'), integer(2, 1)],
    [field(1, []), field(2, [])],
  ]);
  const count = random.magnitude(MOST_COUNT);
  const isInteger = random.chance(0.1);
  const distinct = random.chance(0.5);
  const named = random.pick([1, 2, 8]);
  const one = (index: number): WireField => {
    const numbered = distinct
      ? payload.map((part) => (part.number === named ? field(part.number, `x${index}`) : part))
      : payload;
    return isInteger ? integer(number, index) : field(number, numbered);
  };
  const most = Math.floor(mostBytes / (encode([one(MOST_COUNT)]).length + 1));
  const many = Array.from({ length: Math.min(count, most) }, (_, index) => one(index));
  const at = (where: typeof place): WireField[] => (where === place ? many : []);
  const tensor = [field(8, 'w'), integer(2, 1), integer(1, 1), field(9, new Uint8Array(4)), ...at('tensor')];
  const attribute = field(5, [field(1, 'alpha'), ...at('attribute')]);
  const graph = [
    node('Add', ['x', 'w'], ['y'], [...(place === 'attribute' ? [attribute] : []), ...at('node')]),
    field(5, tensor),
    ...(place === 'sparse' ? [field(15, [field(1, tensor), field(2, tensor), ...many])] : []),
    field(11, [
      field(1, 'x'),
      field(2, [
        field(1, [integer(1, 1), field(2, [field(1, [integer(1, 1)]), ...at('shape')])]),
        ...at('type'),
      ]),
      ...at('input'),
    ]),
    output('y'),
    ...at('graph'),
  ];
  const fn = field(25, [field(1, 'F'), field(10, 'local'), ...at('function')]);
  const entry = field(14, [field(1, 'key'), ...at('entry')]);
  return model(graph, [...(place === 'function' ? [fn] : []), entry, ...at('model')]);
}
