/** The options of `Slicing`: each reaches the search or the model of cost, and each wrong value has one clear error. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Duration, Lazy, Size } from 'aws-cdk-lib';
import {
  type AutomaticSlicingOptions,
  LatencyPercentile,
  Minimize,
  Slicing,
  Temperature,
} from '../../../lib';
import { temporaryFolder } from '../../support/model-builder';
import { errorOf } from '../../support/pipeline-stack';

const automatic = Slicing.automatic.bind(Slicing) as (options: unknown) => Slicing;

function fileWith(content: string): string {
  const file = path.join(temporaryFolder(), 'file.json');
  fs.writeFileSync(file, content);
  return file;
}

describe('Slicing.automatic', () => {
  it('passes each option to the search', () => {
    const slicing = Slicing.automatic({
      minimize: Minimize.COST,
      maxLatency: Duration.millis(1500),
      latencyPercentile: LatencyPercentile.P50,
      maxCostPerMillion: 20,
      maxMemorySize: 1024,
      requestsPerHour: 60,
      temperature: Temperature.COLD,
    });
    expect(slicing._slicer().goal).toEqual({
      minimize: 'cost',
      maxLatencyMs: 1500,
      quantile: 'p50',
      maxDollars: 20 / 1e6,
      maxMemoryMb: 1024,
      requestsPerHour: 60,
      temperature: 'cold',
    });
  });

  it('minimizes the number of slices by default, for 3,008 MB and the p95 of mixed runs', () => {
    expect(Slicing.automatic()._slicer().goal).toEqual({
      minimize: 'slices',
      quantile: 'p95',
      temperature: 'mixed',
      maxMemoryMb: 3008,
    });
  });

  it('gives each choice a key of its own', () => {
    const choices: AutomaticSlicingOptions[] = [
      {},
      { minimize: Minimize.COST },
      { minimize: Minimize.LATENCY },
      { maxLatency: Duration.seconds(2) },
      { maxLatency: Duration.seconds(2), latencyPercentile: LatencyPercentile.P50 },
      { maxCostPerMillion: 5 },
      { maxMemorySize: 2048 },
      { requestsPerHour: 5 },
      { temperature: Temperature.WARM },
    ];
    const keys = choices.map((options) => Slicing.automatic(options)._slicer().key);
    const express = Slicing.automatic()._slicer({ transport: 's3-express' }).key;
    expect(new Set([...keys, express]).size).toBe(choices.length + 1);
  });

  it('refuses a percentile of a latency that it ignores', () => {
    const latencyPercentile = LatencyPercentile.P50;
    for (const minimize of [undefined, Minimize.COST, Minimize.SLICES]) {
      expect(() => Slicing.automatic({ minimize, latencyPercentile })).toThrow(
        'latencyPercentile must be combined with maxLatency or with minimize: Minimize.LATENCY, got neither: add one of them, or leave the percentile out',
      );
    }
    for (const options of [{ minimize: Minimize.LATENCY }, { maxLatency: Duration.seconds(2) }])
      expect(() => Slicing.automatic({ ...options, latencyPercentile })).not.toThrow();
  });

  it.each<[string, unknown, string]>([
    ['maxLatency', Duration.millis(0), 'maxLatency must be longer than 0'],
    ['maxLatency', Duration.millis(NaN), 'maxLatency must be longer than 0'],
    ['maxCostPerMillion', 0, 'maxCostPerMillion must be a number above 0, got 0: pass a larger number'],
    ['maxCostPerMillion', NaN, 'maxCostPerMillion must be a number above 0, got NaN: pass a larger number'],
    ['requestsPerHour', -1, 'requestsPerHour must be a number above 0, got -1: pass a larger number'],
    ['requestsPerHour', Infinity, 'requestsPerHour must be a number above 0, got Infinity'],
    ['profile', '', 'profile must be a path, got an empty string'],
  ])('refuses %s: %p', (name, value, message) => {
    expect(errorOf(() => automatic({ [name]: value }))).toContain(message);
  });

  it.each<[string, unknown]>([
    ['minimize', Lazy.string({ produce: () => 'cost' })],
    ['maxLatency', Duration.seconds(Lazy.number({ produce: () => 2 }))],
    ['maxCostPerMillion', Lazy.number({ produce: () => 2 })],
    ['requestsPerHour', Lazy.number({ produce: () => 2 })],
    ['profile', Lazy.string({ produce: () => 'p.json' })],
    ['prices', Lazy.string({ produce: () => 'p.json' })],
    ['environment', Lazy.string({ produce: () => 'p.json' })],
  ])('refuses a token as %s', (name, value) => {
    expect(errorOf(() => automatic({ [name]: value }))).toMatch(
      new RegExp(`^${name} must be known at synth time`),
    );
  });
});

describe.each<[string, (estimates: object) => Slicing]>([
  ['Slicing.automatic', (estimates) => Slicing.automatic(estimates)],
  ['Slicing.count', (estimates) => Slicing.count(2, estimates)],
  ['Slicing.maxSliceSize', (estimates) => Slicing.maxSliceSize(Size.mebibytes(1), estimates)],
  ['Slicing.atTensors', (estimates) => Slicing.atTensors(['t0'], estimates)],
  ['Slicing.fromPlan', (estimates) => Slicing.fromPlan('plan.json', estimates)],
])('the estimates of %s', (_, make) => {
  it('are read from the files that the options name', () => {
    const prices = fileWith(
      '{"version":1,"prices":{"lambda":{"requests":{"value":0.3,"unit":"USD/million"}}}}',
    );
    const environment = fileWith(
      '{"version":1,"environment":{"stepFunctions":{"express":{"value":[[50,18]],"unit":"ms by percent"}}}}',
    );
    const { costs, profile } = make({ prices, environment, requestsPerHour: 7 })._estimates();
    expect(profile).toBeUndefined();
    expect(costs.requestsPerHour).toBe(7);
    expect(costs.prices?.lambda.requests).toBe(0.3);
    expect(costs.environment?.stepFunctions.express).toEqual([[50, 18]]);
  });

  it('are those of the model of cost without options', () => {
    expect(make({})._estimates()).toEqual({ costs: {} });
  });

  it.each(['profile', 'prices', 'environment'])('refuse a file of %s that is not JSON', (name) => {
    const file = fileWith('no');
    expect(errorOf(() => make({ [name]: file })._estimates())).toContain(name);
    expect(errorOf(() => make({ [name]: '/nowhere/file' })._estimates())).toContain(
      'got no such file or folder',
    );
  });
});
