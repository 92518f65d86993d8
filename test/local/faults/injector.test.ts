import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { FaultInjector, type InjectedFault, parseFaultRates } from '../../../local/faults/injector';
import { chanceOf, FAULT_KINDS, type FaultKind, isFaultKind, kindsOf } from '../../../local/faults/kinds';

const RATES = { 's3-503': 0.2, reset: 0.2 };

/** Strikes 20 chances of each of ten runs, and returns what was injected as text. */
function inject(seed: number, { runs = [...Array(10).keys()], suffix = 'a' } = {}): string[] {
  const injector = new FaultInjector({ seed, rates: RATES });
  return runs.flatMap((run) =>
    Array.from({ length: 20 }, (_, chance) => {
      const name = `machine/run-${run}/${suffix}`;
      const at = { run: name, place: `GET bucket/runs/${name}/slice-00` };
      const strike = injector.strike(kindsOf('request'), at);
      return strike === undefined ? [] : [`${run} ${chance} ${strike.kind} ${strike.random}`];
    }).flat(),
  );
}

describe('a fault injector', () => {
  it('strikes the same chances with the same seed, also when other runs are absent', () => {
    const all = inject(1);
    // Whatever the last part of the runs is.
    expect(inject(1, { suffix: 'b' })).toEqual(all);
    expect(inject(1, { runs: [4] })).toEqual(all.filter((text) => text.startsWith('4 ')));
    expect(inject(2)).not.toEqual(all);
  });

  it('strikes executions without names in the same way, in their order', () => {
    const hits = () => {
      const injector = new FaultInjector({ seed: 1, rates: { reset: 0.3 } });
      return Array.from({ length: 50 }, () => {
        const place = `GET bucket/inputs/${randomUUID()}.safetensors`;
        return injector.strike(['reset'], { run: `${randomUUID()}/${randomUUID()}`, place })?.random;
      });
    };
    expect(hits()).toEqual(hits());
    expect(new Set(hits()).size).toBeGreaterThan(5);
  });

  it('repeats a lasting fault at each further chance of the same run and place', () => {
    const injector = new FaultInjector({ seed: 1, rates: { reset: 0.3 }, lasting: 1 });
    const hits = (place: string): (FaultKind | undefined)[] =>
      Array.from({ length: 40 }, () => injector.strike(['reset'], { run: 'r/1', place })?.kind);
    const places = ['GET a', 'GET b', 'GET c'].map(hits);
    for (const place of places) {
      const first = place.indexOf('reset');
      expect(first).toBeGreaterThanOrEqual(0);
      expect(place.slice(first)).toEqual(new Array(40 - first).fill('reset'));
    }
    expect(new Set(places.map((place) => place.indexOf('reset'))).size).toBeGreaterThan(1);
  });

  it('strikes only kinds that the chance can have, and reports a fault only when it takes effect', () => {
    const faults: InjectedFault[] = [];
    const injector = new FaultInjector({ seed: 1, rates: { reset: 1 } }, (fault) => faults.push(fault));
    const chance = { run: 'r/1', place: 'GET bucket/key' };
    expect(injector.strike(kindsOf('call'), chance)).toBeUndefined();
    const strike = injector.strike(kindsOf('request'), chance);
    expect([faults, injector.counts().get('reset')]).toEqual([[], 0]);
    strike?.record();
    expect(faults).toEqual([{ kind: 'reset', time: expect.any(Number) as number, ...chance }]);
    expect(injector.counts().get('reset')).toBe(1);
    // Nothing after the faults are taken away.
    injector.use(undefined);
    expect(injector.strike(FAULT_KINDS, chance)).toBeUndefined();
  });

  it.each([
    [{ seed: 0.5, rates: {} }, 'the seed of faults must be a whole number, got 0.5'],
    [{ seed: 1, rates: {}, lasting: -1 }, "the rate of the fault 'lasting' must be from 0 to 1, got -1"],
  ])('refuses %j', (faults, message) => {
    expect(() => new FaultInjector(faults)).toThrow(message);
  });
});

it('the kinds of faults are those of the guide, in its order', () => {
  const guide = fs.readFileSync(path.join(__dirname, '../../../docs/local-cloud.md'), 'utf8');
  const rows = [...guide.matchAll(/^\| `([^`]+)` +\| ([^|]+?) +\| [^|]+ \|$/gm)].map((row) => row.slice(1));
  const listed = rows.filter(([name]) => isFaultKind(name));
  expect(listed).toEqual(FAULT_KINDS.map((kind) => [kind, chanceOf(kind)]));
});

it.each([
  ['foo:1', "got 'foo': the kinds are all, s3-503, s3-500,"],
  ['reset:1.01', "the rate of the fault 'reset' must be from 0 to 1, got 1.01: write it like reset:0.1"],
  ['reset', 'got NaN'],
  ['reset:0.1:2', 'got NaN'],
])('rates of faults are refused as %j', (text, message) => {
  expect(() => parseFaultRates(text)).toThrow(message);
});
