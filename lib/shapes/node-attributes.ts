/** Reads the attributes of a node that inference and rules about shapes need. A model does not keep them. */
import { ATTRIBUTE, NODE } from '../onnx/fields';
import type { Model, Node } from '../onnx/model';
import { text } from '../onnx/parse-tensor';
import { ByteSource, content, fields, integer, integers } from '../onnx/wire';

/** What an attribute holds; the fields of other kinds are empty. */
export interface NodeAttribute {
  readonly integer: number;
  readonly integers: readonly number[];
  readonly text: string;
}

/** By name. */
export function nodeAttributes(
  model: Model,
  { field: { offset, length } }: Node,
): ReadonlyMap<string, NodeAttribute> {
  const source = new ByteSource(model.files[0].path);
  try {
    const [whole] = fields(source, { start: offset, end: offset + length });
    const attributes = [...fields(source, content(whole))].filter(({ number }) => number === NODE.attribute);
    return new Map(
      attributes.map((attribute) => {
        let name = '';
        const found = { integer: 0, integers: [] as number[], text: '' };
        for (const field of fields(source, content(attribute))) {
          if (field.number === ATTRIBUTE.name) name = text(source, field);
          if (field.number === ATTRIBUTE.i) found.integer = integer(field);
          if (field.number === ATTRIBUTE.s) found.text = source.bytes(content(field)).toString('latin1');
          if (field.number === ATTRIBUTE.ints)
            for (const one of integers(source, field)) found.integers.push(one);
        }
        return [name, found];
      }),
    );
  } finally {
    source.close();
  }
}
