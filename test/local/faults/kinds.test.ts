import * as fs from 'node:fs';
import * as path from 'node:path';
import { chanceOf, effectOf, FAULT_KINDS, isFaultKind, kindsOf } from '../../../local/faults/kinds';

const GUIDE = fs.readFileSync(path.join(__dirname, '../../../docs/command-line.md'), 'utf8');

describe('kinds of faults', () => {
  it('are those of the guide, with the same words', () => {
    const rows = [...GUIDE.matchAll(/^\| `([^`]+)` +\| ([^|]+?) +\| ([^|]+?) +\|$/gm)].map((row) =>
      row.slice(1),
    );
    const listed = rows.filter(([name]) => isFaultKind(name));
    expect(listed).toEqual(FAULT_KINDS.map((kind) => [kind, chanceOf(kind), effectOf(kind)]));
  });

  it('can be selected by what they strike', () => {
    expect(kindsOf('start')).toEqual(['slow-start']);
    expect(kindsOf('call')).toEqual(['throttled', 'failing', 'lost-result', 'duplicate-delivery']);
    expect(kindsOf('request', 'read', 'write', 'conditional write', 'call', 'start')).toEqual(FAULT_KINDS);
  });
});
