import { randomUUID } from 'node:crypto';
import { FaultInjector, type Faults, type InjectedFault } from '../../../local/faults/injector';
import { FAULT_KINDS, type FaultKind, kindsOf } from '../../../local/faults/kinds';

const RATES = { 's3-503': 0.2, reset: 0.2 };

/** Strikes `count` chances of each of ten runs, and returns what was injected as text. */
function inject(faults: Faults, { count = 20, runs = [...Array(10).keys()], suffix = 'a' } = {}): string[] {
  const injector = new FaultInjector(faults);
  return runs.flatMap((run) =>
    Array.from({ length: count }, (_, chance) => {
      const name = `machine/run-${run}/${suffix}`;
      const strike = injector.strike(kindsOf('request'), {
        run: name,
        place: `GET bucket/runs/${name}/slice-00`,
      });
      return strike === undefined ? [] : [`${run} ${chance} ${strike.kind} ${strike.random}`];
    }).flat(),
  );
}

describe('a fault injector', () => {
  it('strikes the same chances with the same seed, whatever the last part of the runs is', () => {
    expect(inject({ seed: 1, rates: RATES }, { suffix: 'b' })).toEqual(inject({ seed: 1, rates: RATES }));
  });

  it('strikes a run in the same way when other runs are absent', () => {
    const all = inject({ seed: 1, rates: RATES });
    expect(inject({ seed: 1, rates: RATES }, { runs: [4] })).toEqual(
      all.filter((text) => text.startsWith('4 ')),
    );
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

  it('strikes other chances with another seed', () => {
    expect(inject({ seed: 2, rates: RATES })).not.toEqual(inject({ seed: 1, rates: RATES }));
  });

  it('strikes about as many chances as the rates say', () => {
    const kinds = inject({ seed: 3, rates: RATES }, { count: 200 }).map((text) => text.split(' ')[2]);
    const share = (kind: string): number => kinds.filter((each) => each === kind).length / 2_000;
    expect(share('s3-503')).toBeCloseTo(0.2, 1);
    // A request that answered 503 is not reset too.
    expect(share('reset')).toBeCloseTo(0.2 * 0.8, 1);
    expect(new Set(kinds)).toEqual(new Set(['s3-503', 'reset']));
  });

  it('strikes only kinds that the chance can have', () => {
    const injector = new FaultInjector({ seed: 1, rates: { throttled: 1 } });
    expect(injector.strike(kindsOf('request', 'write'), { run: 'r', place: 'PUT' })).toBeUndefined();
    expect(injector.strike(kindsOf('call'), { run: 'r', place: 'f' })?.kind).toBe('throttled');
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

  it('counts and reports a fault only when it takes effect', () => {
    const faults: InjectedFault[] = [];
    const injector = new FaultInjector({ seed: 1, rates: { reset: 1 } }, (fault) => faults.push(fault));
    const strike = injector.strike(['reset'], { run: 'r/1', place: 'GET bucket/key' });
    expect([faults, injector.counts().get('reset')]).toEqual([[], 0]);
    strike?.record();
    expect(faults).toEqual([
      { kind: 'reset', time: expect.any(Number) as number, run: 'r/1', place: 'GET bucket/key' },
    ]);
    expect(injector.counts().get('reset')).toBe(1);
  });

  it('strikes nothing without faults, and nothing after they are taken away', () => {
    const chance = { run: 'r', place: 'f' };
    expect(new FaultInjector(undefined).strike(FAULT_KINDS, chance)).toBeUndefined();
    const injector = new FaultInjector({ seed: 1, rates: { throttled: 1 } });
    injector.use(undefined);
    expect(injector.strike(FAULT_KINDS, chance)).toBeUndefined();
  });

  it.each([
    [{ seed: 1, rates: { reset: 1.5 } }, "the rate of the fault 'reset' must be from 0 to 1, got 1.5"],
    [{ seed: 1, rates: { reset: NaN } }, "the rate of the fault 'reset' must be from 0 to 1, got NaN"],
    [{ seed: 0.5, rates: {} }, 'the seed of faults must be a whole number, got 0.5'],
    [{ seed: 1, rates: {}, lasting: -1 }, "the rate of the fault 'lasting' must be from 0 to 1, got -1"],
  ])('refuses %j', (faults, message) => {
    expect(() => new FaultInjector(faults)).toThrow(message);
  });

  it('refuses a kind that it does not know', () => {
    const rates = { rest: 1 } as Faults['rates'];
    expect(() => new FaultInjector({ seed: 1, rates })).toThrow(
      /^a fault must be one of s3-503, .*got 'rest'/,
    );
  });
});
