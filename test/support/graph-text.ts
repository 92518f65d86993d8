/** Graphs written as text. */
import { type GraphInit, type NodeInit, FLOAT, attribute, node, value } from './model-builder';

/** Nodes such as `Abs x > a; Concat a w > y axis=0; Transpose y > z perm=[1,0]`: operator, inputs, outputs, attributes. */
export function nodesOf(text: string): NodeInit[] {
  return text
    .trim()
    .split(/;\s+/)
    .map((each) => {
      const [before, after] = each.split(' > ');
      const [opType, ...inputs] = before.split(' ');
      const outputs = after.split(' ').filter((word) => !word.includes('='));
      const attributes = after.split(' ').filter((word) => word.includes('='));
      return node(opType, inputs, outputs, attributes.map(attributeOf));
    });
}

function attributeOf(text: string): object {
  const [name, given] = text.split('=');
  if (given.startsWith('[')) return attribute.ints(name, given.slice(1, -1).split(',').map(Number));
  const number = Number(given);
  return Number.isInteger(number) ? attribute.int(name, number) : { name, s: Buffer.from(given), type: 3 };
}

/** A graph from the input `x`, four floats, to the output `y`, unless said otherwise. */
export function graphOf(nodes: string | readonly NodeInit[], rest: Partial<GraphInit> = {}): GraphInit {
  return {
    node: typeof nodes === 'string' ? nodesOf(nodes) : nodes,
    input: [value('x', FLOAT, [4])],
    output: [value('y', FLOAT)],
    ...rest,
  };
}
