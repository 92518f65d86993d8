/** Gives tensors external data at places that are missing or not allowed, and writes the files beside a model. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { DATA_LOCATION_EXTERNAL, ENTRY, GRAPH, TENSOR } from '../../../lib/onnx/fields';
import { FLOAT } from '../../support/model-builder';
import { words } from '../odd-values';
import type { Random } from '../random';
import { field, integer, messages, type WireField } from './wire-tree';

/** Files beside each model, with their sizes. */
const FILES = { 'w.bin': 8192, '..w.bin': 8192, 'sub/w.bin': 100, 'empty.bin': 0 };

/** Symbolic links beside each model. */
const LINKS = { outside: '/etc/hosts', up: '..', self: 'self', dangling: 'nothing' };

const LOCATIONS = [
  ...[...Object.keys(FILES), ...Object.keys(LINKS)],
  ...words('./w.bin sub/../w.bin model.onnx sub . .. ../w.bin ../../../../etc/passwd /etc/passwd /dev/zero'),
  ...words('up/w.bin w.bin/below \\\\server\\share C:\\w.bin %2e%2e/w.bin'),
  ...['', 'nul\0.bin', 'line\nend', 'x'.repeat(300), 'a/'.repeat(3000)],
];

const NUMBERS = [
  ...words('0 8 4096 8192 8193 -1 -0 1e3 0x10 ten 1.5 NaN Infinity'),
  ...['', ' 8', '9007199254740991', '9007199254740993', '18446744073709551616', '9'.repeat(1000)],
];

/** The fields of a tensor that hold its data or say where it is. */
const DATA_FIELDS: readonly number[] = [TENSOR.rawData, TENSOR.externalData, TENSOR.dataLocation];

export function putBesideModel(folder: string): void {
  fs.mkdirSync(path.join(folder, 'sub'));
  for (const [name, bytes] of Object.entries(FILES))
    fs.writeFileSync(path.join(folder, name), new Uint8Array(bytes));
  for (const [name, target] of Object.entries(LINKS)) fs.symlinkSync(target, path.join(folder, name));
}

/** Gives external data to one of the model's tensors or to a new initializer. */
export function mutateExternal(random: Random, model: WireField[]): void {
  const extra = [field(TENSOR.name, 'extra'), integer(TENSOR.dataType, FLOAT), integer(TENSOR.dims, 4)];
  const tensors = messages(model, 'TensorProto');
  const isNew = tensors.length === 0 || random.chance(0.2);
  const tensor = isNew ? extra : random.pick(tensors);
  if (isNew)
    messages(model, 'GraphProto')
      .at(0)
      ?.push(field(GRAPH.initializer, extra, 'TensorProto'));
  const kept = tensor.filter(({ number }) => random.chance(0.1) || !DATA_FIELDS.includes(number));
  const entries = ['location', 'offset', 'length', 'checksum', 'odd'].flatMap((key) => {
    if (random.chance(key === 'location' ? 0.05 : 0.6)) return [];
    const text = random.pick(key === 'location' ? LOCATIONS : NUMBERS);
    const entry = field(TENSOR.externalData, [field(ENTRY.key, key), field(ENTRY.value, text)]);
    return random.chance(0.1) ? [entry, entry] : [entry];
  });
  const place = random.chance(0.9) ? DATA_LOCATION_EXTERNAL : random.below(4);
  tensor.splice(0, tensor.length, ...kept, ...entries, integer(TENSOR.dataLocation, place));
}
