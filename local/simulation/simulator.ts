/** Draws the delays of one local cloud. The same seed draws the same delays for the n-th request or transition of a place. */
import { percentilesOfPayload } from '../../lib/cost/formulas/step-functions';
import { atPercent } from '../../lib/cost/latency/latency-distribution';
import { draw } from '../seeded-random';
import type { Simulation } from './simulation';
import { Traffic } from './traffic';

export class Simulator {
  private readonly sandboxes = new Map<string, number>();

  constructor(
    private readonly simulation: Simulation,
    private readonly seed = 0,
  ) {}

  get coldStartMs(): number | undefined {
    return this.simulation.coldStartMs;
  }

  /** The network of a new sandbox; `undefined` if nothing delays it. */
  trafficOf(functionName: string): Traffic | undefined {
    const { network, storage } = this.simulation;
    if (network === undefined && storage === undefined) return undefined;
    const sandbox = this.sandboxes.get(functionName) ?? 0;
    this.sandboxes.set(functionName, sandbox + 1);
    return new Traffic(this.simulation, this.randomOf(`requests of ${functionName} ${sandbox}`));
  }

  /** Milliseconds before a state with an input of so many bytes is entered; `undefined` if nothing delays it. */
  transitionsOf(machineName: string, type: 'EXPRESS' | 'STANDARD'): ((bytes: number) => number) | undefined {
    const delays = this.simulation.transitions?.[type === 'EXPRESS' ? 'express' : 'standard'];
    if (delays === undefined) return undefined;
    const random = this.randomOf(`transitions of ${machineName}`);
    return (bytes) => atPercent(percentilesOfPayload(delays, bytes), 100 * random());
  }

  private randomOf(place: string): () => number {
    let count = 0;
    return () => draw(`${this.seed} ${place} ${count++}`);
  }
}
