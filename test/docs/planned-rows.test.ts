/** Tables of the documents with figures of plans, which take long to make. */
import { partRows, stateRows } from '../support/cost-tables';
import { documentNamed } from '../support/documents';
import { asRows, rowsOf } from '../support/table-rows';

it.each([
  ['small tensors in the state', 'docs/costs.md', stateRows],
  ['layers in parts', 'docs/performance.md', partRows],
])('the table of %s in %s has the rows that the model computes', (_, name, expected) => {
  expect(rowsOf(documentNamed(name).text)).toEqual(expect.arrayContaining(asRows(expected())));
});
