/** Writes a model of `y = Tanh(x)` for float32[1,512]: what a function needs for it, it needs for any model. */
import * as fs from 'node:fs';
import { ModelProto } from '../onnx-schema';

const FLOAT = 1;

export function writeOneOperator(file: string): void {
  const row = (name: string): object => {
    const shape = { dim: [{ dimValue: 1 }, { dimValue: 512 }] };
    return { name, type: { tensorType: { elemType: FLOAT, shape } } };
  };
  const node = [{ name: 'tanh', opType: 'Tanh', input: ['x'], output: ['y'] }];
  const graph = { name: 'one', node, input: [row('x')], output: [row('y')] };
  const opsetImport = [{ domain: '', version: 17 }];
  const model = ModelProto.create({ irVersion: 9, producerName: 'bench', opsetImport, graph });
  fs.writeFileSync(file, ModelProto.encode(model).finish());
}
