/** A graph of one node, with its tensors written as text. */
import { dataTypeName } from '../../lib/onnx/data-type';
import type { Model } from '../../lib/onnx/model';
import { parseModel } from '../../lib/onnx/parse';
import type { ValueTypes } from '../../lib/shapes/value-types';
import { BOOL, FLOAT, FLOAT16, INT32, UINT8, attribute, saveModel, value } from './model-builder';

const TYPES: Readonly<Record<string, number>> = { f16: FLOAT16, u8: UINT8, i8: 3, i32: INT32, bool: BOOL };

/**
 * @param text operator, inputs and outputs, such as `com.microsoft:QGemm u8:4x8 . - -> 4x6`: the sizes of each tensor, after its type
 * unless that is float32. `.` is a scalar, and `-` an omitted input.
 */
export function typedNode(
  text: string,
  attributes: Readonly<Record<string, number>> = {},
  opset = 17,
): { readonly model: Model; readonly types: ValueTypes } {
  const [operator, ...before] = text.slice(0, text.indexOf(' -> ')).split(' ');
  const after = text.slice(text.indexOf(' -> ') + 4).split(' ');
  const [opType, domain = ''] = operator.split(':').reverse();
  const named = [
    ...before.map((tensor, index) => ({ name: tensor === '-' ? '' : `x${index}`, ...typeOf(tensor) })),
    ...after.map((tensor, index) => ({ name: `y${index}`, ...typeOf(tensor) })),
  ];
  const names = named.map(({ name }) => name);
  const inputs = named.slice(0, before.length).filter(({ name }) => name !== '');
  const graph = {
    node: [
      {
        ...{ opType, domain, input: names.slice(0, before.length), output: names.slice(before.length) },
        attribute: Object.entries(attributes).map(([name, number]) =>
          Number.isInteger(number) ? attribute.int(name, number) : { name, f: number, type: 1 },
        ),
      },
    ],
    input: inputs.map(({ name, dataType, shape }) => value(name, dataType, shape)),
    output: names.slice(before.length).map((name) => value(name)),
  };
  const model = parseModel(saveModel({ opset, graph }));
  const byName = new Map(named.map((each) => [each.name, each]));
  const types = model.graph.values.map(({ name }) => {
    const { dataType = FLOAT, shape = [] } = byName.get(name) ?? {};
    return { dtype: dataTypeName(dataType), shape };
  });
  return { model, types };
}

function typeOf(tensor: string): { readonly dataType: number; readonly shape: readonly number[] } {
  const [sizes, type] = tensor.split(':').reverse();
  return { dataType: TYPES[type] ?? FLOAT, shape: /\d/.test(sizes) ? sizes.split('x').map(Number) : [] };
}
