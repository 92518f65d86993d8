/** Asks for a pipeline's description once, and again after a deployment. */
import type { StepFunctions } from '../aws/step-functions';
import { sharedController } from '../run/abort';
import type { MachineDescription, PipelineDescription } from './pipeline-description';
import { readDescription, readMachine, type Described } from './read-description';

/** What an output says about where it comes from. */
interface Made {
  readonly deploymentDigest: string;
  /** `undefined` if the results are in none. */
  readonly bucket: string | undefined;
}

/** Milliseconds. An alias may start an older version for weeks, whose outputs never fit the description. */
const UNFIT_PAUSE = 60_000;

export class PipelineDescriptions {
  private last: Promise<Described> | undefined;
  /** The request under way. */
  private asking: Promise<Described> | undefined;
  /** The output that the description did not fit even when it was new, and when that was. */
  private unfit: { readonly deploymentDigest: string; readonly at: number } | undefined;
  /** Of the requests under way. Calls share them, so no call's own signal may end them. */
  private requests = sharedController();

  /** @param stateMachineArn as the caller has it; an alias's is not the one to ask for */
  constructor(
    private readonly stateMachineArn: string,
    private readonly describedArn: string,
    private readonly stepFunctions: StepFunctions,
  ) {}

  /** What `invoke` needs, also of a state machine that contains a pipeline. Asks as `known` does. */
  async machine(): Promise<MachineDescription> {
    return readMachine(this.stateMachineArn, await (this.last ?? this.ask()));
  }

  /** The description that was read last. Calls that start at the same time share one request. */
  known(): Promise<PipelineDescription> {
    return this.read(this.last ?? this.ask());
  }

  /** Asks Step Functions. A failure is not kept. */
  latest(): Promise<PipelineDescription> {
    return this.read(this.ask());
  }

  /**
   * The description of the deployment that made an output: `known`, or if that is of another deployment, the latest. The latest may be of
   * another deployment too.
   */
  async fitting(known: PipelineDescription, output: Made): Promise<PipelineDescription> {
    const isInBucket = output.bucket === undefined || output.bucket === known.bucket;
    if (isInBucket && (isBy(known, output) || this.isUnfit(output))) return known;
    try {
      // Another call that the same deployment overtook may have asked already.
      const shared = await this.known();
      if (isBy(shared, output)) return shared;
      const latest = await this.read(this.asking ?? this.ask());
      if (!isBy(latest, output)) {
        this.unfit = { deploymentDigest: output.deploymentDigest, at: performance.now() };
      }
      return latest;
    } catch (error) {
      // The results are complete. Only their check needs the description.
      if (isInBucket) return known;
      throw error;
    }
  }

  /** Asks Step Functions, whether or not the state machine is that of a pipeline. Calls that ask at the same time share one request. */
  async askAgain(): Promise<void> {
    await (this.asking ?? this.ask());
  }

  /** Ends the requests under way, which would otherwise keep the process alive although no call waits for them. */
  close(reason: Error): void {
    this.requests.abort(reason);
    this.requests = sharedController();
  }

  private isUnfit({ deploymentDigest }: Made): boolean {
    const { unfit } = this;
    return unfit?.deploymentDigest === deploymentDigest && performance.now() - unfit.at < UNFIT_PAUSE;
  }

  private async read(asked: Promise<Described>): Promise<PipelineDescription> {
    const described = await asked;
    try {
      return readDescription(this.stateMachineArn, described);
    } catch (error) {
      this.forget(asked);
      throw error;
    }
  }

  private ask(): Promise<Described> {
    const asked: Promise<Described> = this.stepFunctions.describeStateMachine(
      this.describedArn,
      this.requests.signal,
    );
    this.last = asked;
    this.asking = asked;
    const end = (): void => {
      if (this.asking === asked) this.asking = undefined;
    };
    asked.then(end, () => {
      end();
      this.forget(asked);
    });
    return asked;
  }

  private forget(asked: Promise<Described>): void {
    if (this.last === asked) this.last = undefined;
  }
}

function isBy({ signature }: PipelineDescription, { deploymentDigest }: Made): boolean {
  return signature.deploymentDigest === deploymentDigest;
}
