/** Reads the attributes of a node. A model does not keep them. */
import { ATTRIBUTE, NODE } from './fields';
import type { Model, Node } from './model';
import { text } from './parse-tensor';
import { ByteSource, content, fields, integer, integers } from './wire';

/** What an attribute holds; the fields of other kinds are empty. */
export interface NodeAttribute {
  readonly integer: number;
  readonly integers: readonly number[];
  readonly text: string;
  /** The attribute as it is in the file: the content of its field. */
  readonly encoded: Uint8Array;
}

/** By name. */
export function nodeAttributes(
  model: Pick<Model, 'files'>,
  { field }: Pick<Node, 'field'>,
): ReadonlyMap<string, NodeAttribute> {
  const held = field instanceof Uint8Array ? field : undefined;
  const source = new ByteSource(model.files[0].path, held);
  const start = field instanceof Uint8Array ? 0 : field.offset;
  try {
    const [whole] = fields(source, { start, end: start + field.length });
    const attributes = [...fields(source, content(whole))].filter(({ number }) => number === NODE.attribute);
    return new Map(
      attributes.map((attribute) => {
        let name = '';
        const encoded = source.bytes(content(attribute));
        const found = { integer: 0, integers: [] as number[], text: '', encoded };
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
