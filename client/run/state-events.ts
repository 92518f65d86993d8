/** What the history of a Standard execution tells: the states that it enters and leaves, and the function that failed. */
import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { STEP_STATES, type FailureCause } from '../../contract/failures';
import type { Call } from './call';

export class StateEvents {
  private lastId = 0;

  constructor(
    private readonly call: Call,
    private readonly executionArn: string,
  ) {}

  /** Reports the events since the last report, in their order. */
  async report(): Promise<void> {
    const { call, executionArn } = this;
    for (const event of (await this.newEvents()).reverse()) {
      const state = stateOf(event);
      if (state !== undefined) call.report({ ...state, time: event.timestamp?.getTime(), executionArn });
    }
  }

  /** The latest first: a history has up to 25,000 events, and the earlier ones are known. */
  private async newEvents(): Promise<HistoryEvent[]> {
    const { call, executionArn, lastId } = this;
    const found: HistoryEvent[] = [];
    let nextToken: string | undefined;
    do {
      const page = await call.stepFunctions.latestEvents(executionArn, nextToken, call.signal);
      const events = (page.events ?? []).filter(({ id = 0 }) => id > lastId);
      found.push(...events);
      nextToken = events.length === page.events?.length ? page.nextToken : undefined;
    } while (nextToken !== undefined);
    this.lastId = found.at(0)?.id ?? lastId;
    return found;
  }
}

function stateOf(
  event: HistoryEvent,
): { readonly event: 'stateEntered' | 'stateExited'; readonly state: string } | undefined {
  const { stateEnteredEventDetails: entered, stateExitedEventDetails: exited } = event;
  if (entered?.name !== undefined) return { event: 'stateEntered', state: entered.name };
  if (exited?.name !== undefined) return { event: 'stateExited', state: exited.name };
  return undefined;
}

type Step = NonNullable<FailureCause['step']>;

/**
 * Which function of the user failed. A state that could be redriven has no Catch, so the cause is what the function itself has thrown, and
 * does not say it. Neither function runs beside another state, so the state that was entered last is the one that failed.
 */
export async function failedStep(call: Call, executionArn: string): Promise<Step | undefined> {
  try {
    // All retries of a function make fewer events than a page has.
    const { events = [] } = await call.stepFunctions.latestEvents(executionArn, undefined, call.signal);
    const name = events.find((event) => event.stateEnteredEventDetails)?.stateEnteredEventDetails?.name;
    return (Object.keys(STEP_STATES) as Step[]).find((step) => STEP_STATES[step] === name);
  } catch {
    // The failure of the execution matters more than where it was. A caller may lack the permission to read the history.
    return undefined;
  }
}
