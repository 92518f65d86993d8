/**
 * Which function of the user failed in a Standard execution. A state that could be redriven has no Catch, so the cause is what the function
 * itself has thrown, and does not say it.
 */
import { STEP_STATES, type FailureCause } from '../../contract/failures';
import type { Call } from './call';

type Step = NonNullable<FailureCause['step']>;

/** Neither function runs beside another state, so the state that was entered last is the one that failed. */
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
