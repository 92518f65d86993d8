/** Gives tensors external data at places that are missing or not allowed. */
import { DATA_LOCATION_EXTERNAL, ENTRY, GRAPH, MODEL, TENSOR } from '../../lib/onnx/fields';
import { FLOAT } from '../support/model-builder';
import type { Random } from './random';
import type { WireField } from './wire-tree';
import { field, integer, places } from './wire-tree';

/** A file or symbolic link beside each model. */
type BesideModel =
  { readonly name: string; readonly bytes: number } | { readonly name: string; readonly linkTo: string };

export const BESIDE_MODEL: readonly BesideModel[] = [
  { name: 'w.bin', bytes: 8192 },
  { name: '..w.bin', bytes: 8192 },
  { name: 'sub/w.bin', bytes: 100 },
  { name: 'empty.bin', bytes: 0 },
  { name: 'outside', linkTo: '/etc/hosts' },
  { name: 'up', linkTo: '..' },
  { name: 'self', linkTo: 'self' },
  { name: 'dangling', linkTo: 'nothing' },
];

const LOCATIONS = [
  'w.bin',
  './w.bin',
  '..w.bin',
  'sub/w.bin',
  'sub/../w.bin',
  'empty.bin',
  'model.onnx',
  'sub',
  '.',
  '..',
  '../w.bin',
  '../../../../etc/passwd',
  '/etc/passwd',
  '/dev/zero',
  'outside',
  'up/w.bin',
  'self',
  'dangling',
  'w.bin/below',
  '',
  'nul\0.bin',
  'line\nend',
  'x'.repeat(300),
  'a/'.repeat(3000),
  '\\\\server\\share',
  'C:\\w.bin',
  '%2e%2e/w.bin',
];

const NUMBERS = [
  '0',
  '8',
  '4096',
  '8192',
  '8193',
  '-1',
  '-0',
  '1e3',
  '0x10',
  ' 8',
  '',
  'ten',
  '1.5',
  'NaN',
  'Infinity',
  '9007199254740991',
  '9007199254740993',
  '18446744073709551616',
  '9'.repeat(1000),
];

/** The fields of a tensor that hold its data or say where it is. */
const DATA_FIELDS: readonly number[] = [TENSOR.rawData, TENSOR.externalData, TENSOR.dataLocation];

/** Gives external data to one of the model's tensors or to a new initializer. */
export function mutateExternal(random: Random, model: WireField[]): void {
  const tensors = places(model)
    .filter(({ field: { kind, content } }) => kind === 'Tensor' && Array.isArray(content))
    .map(({ field: { content } }) => content as WireField[]);
  const graph = model.find(({ number, content }) => number === MODEL.graph && Array.isArray(content));
  if (tensors.length === 0 || random.chance(0.2)) {
    const tensor = [
      field(TENSOR.name, 'extra', 'text'),
      integer(TENSOR.dataType, FLOAT),
      integer(TENSOR.dims, 4, 'dim'),
    ];
    if (graph) (graph.content as WireField[]).push(field(GRAPH.initializer, tensor, 'Tensor'));
    tensors.splice(0, tensors.length, tensor);
  }
  const tensor = random.pick(tensors);
  const kept = tensor.filter(({ number }) => random.chance(0.1) || !DATA_FIELDS.includes(number));
  const entries = ['location', 'offset', 'length', 'checksum', 'odd'].flatMap((key) => {
    if (random.chance(key === 'location' ? 0.05 : 0.6)) return [];
    const text = key === 'location' ? random.pick(LOCATIONS) : random.pick(NUMBERS);
    const entry = field(
      TENSOR.externalData,
      [field(ENTRY.key, key, 'text'), field(ENTRY.value, text, 'text')],
      'Entry',
    );
    return random.chance(0.1) ? [entry, entry] : [entry];
  });
  tensor.splice(
    0,
    tensor.length,
    ...kept,
    ...entries,
    integer(TENSOR.dataLocation, random.chance(0.9) ? DATA_LOCATION_EXTERNAL : random.below(4)),
  );
}
