/** Asynchronous calls and their repetition: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html */
import { checkProperties } from '../cloudformation/resource';
import type { Template } from '../cloudformation/template';
import { type Clock, SYSTEM_CLOCK } from '../step-functions/clock';
import { StateError } from '../step-functions/state-error';

/** After a failure of the function: "Lambda waits one minute before the second attempt, two minutes before the third". */
const RETRY_PAUSE_MS = 60_000;

/** After a throttle, "from 1 second after the first attempt to a maximum of 5 minutes". That the pause doubles is believed. */
const FIRST_THROTTLE_PAUSE_MS = 1_000;
const LONGEST_THROTTLE_PAUSE_MS = 300_000;

export interface AsynchronousSettings {
  readonly maxRetries: number;
  /** A call that waits for longer is dropped. */
  readonly maxAgeSeconds: number;
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html */
export const DEFAULT_ASYNCHRONOUS_SETTINGS: AsynchronousSettings = { maxRetries: 2, maxAgeSeconds: 21_600 };

export function readAsynchronousSettings(
  template: Template,
  functionId: string,
  qualifier: string,
): AsynchronousSettings {
  const own = template
    .resourcesOfType('AWS::Lambda::EventInvokeConfig')
    // Before anything is resolved: what a value of another function refers to may be unsupported.
    .filter(({ properties }) => JSON.stringify(properties.FunctionName).includes(`"${functionId}"`))
    .find((resource) => template.text(resource, 'Qualifier') === qualifier);
  if (own === undefined) return DEFAULT_ASYNCHRONOUS_SETTINGS;
  const used = ['FunctionName', 'Qualifier', 'MaximumRetryAttempts', 'MaximumEventAgeInSeconds'];
  checkProperties(own, { used, withoutEffect: [] });
  const { maxRetries, maxAgeSeconds } = DEFAULT_ASYNCHRONOUS_SETTINGS;
  return {
    maxRetries: Number(template.property(own, 'MaximumRetryAttempts') ?? maxRetries),
    maxAgeSeconds: Number(template.property(own, 'MaximumEventAgeInSeconds') ?? maxAgeSeconds),
  };
}

export class AsynchronousCalls {
  private readonly running = new Set<Promise<void>>();
  private readonly closing = new AbortController();

  constructor(private readonly clock: Clock = SYSTEM_CLOCK) {}

  /** @param call rejects with a `StateError` when the function fails or Lambda throttles the call */
  add(settings: AsynchronousSettings, call: () => Promise<unknown>): void {
    const done = this.deliver(settings, call)
      // Nobody waits for the call. The function's own log says why it failed.
      .catch(() => undefined)
      .finally(() => this.running.delete(done));
    this.running.add(done);
  }

  async settled(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }

  close(): void {
    this.closing.abort(new Error('the local cloud is closed'));
  }

  private async deliver(
    { maxRetries, maxAgeSeconds }: AsynchronousSettings,
    call: () => Promise<unknown>,
  ): Promise<void> {
    const queuedAt = this.clock.now();
    let [failures, throttles] = [0, 0];
    for (;;) {
      try {
        await call();
        return;
      } catch (error) {
        const isThrottled = error instanceof StateError && error.error === 'Lambda.TooManyRequestsException';
        if (!isThrottled && ++failures > maxRetries) throw error;
        const pauseMs = isThrottled
          ? Math.min(LONGEST_THROTTLE_PAUSE_MS, FIRST_THROTTLE_PAUSE_MS * 2 ** throttles++)
          : RETRY_PAUSE_MS * failures;
        if (this.clock.now() + pauseMs - queuedAt > maxAgeSeconds * 1000) throw error;
        await this.clock.sleep(pauseMs, this.closing.signal);
      }
    }
  }
}
