/** GetExecutionHistory. https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html */
import { entriesOf, type JsonObject } from '../../json';
import type { HistoryEvent } from '../history';
import type { StateMachines } from '../state-machines';
import { requireExecution, seconds } from './operation';
import { page } from './paging';
import type { Parameters } from './parameters';

/** The members of an event's details that `includeExecutionData: false` leaves out. */
const DATA: readonly string[] = [
  ...['input', 'inputDetails', 'output', 'outputDetails', 'parameters'],
  ...['assignedVariables', 'assignedVariablesDetails'],
];

export function getExecutionHistory(machines: StateMachines, parameters: Parameters): JsonObject {
  const { history } = requireExecution(machines, parameters);
  const withData = parameters.flag('includeExecutionData', true);
  const reverse = parameters.flag('reverseOrder', false);
  const events = reverse ? history.events.toReversed() : history.events;
  const { items, ...next } = page(events, parameters, { idOf: ({ id }) => String(id) });
  return { events: items.map((event) => describe(event, withData)), ...next };
}

function describe({ id, previousEventId, time, type, details }: HistoryEvent, withData: boolean): JsonObject {
  const kept =
    details && Object.fromEntries(entriesOf(details).filter(([name]) => withData || !DATA.includes(name)));
  return {
    timestamp: seconds(time),
    type,
    id,
    previousEventId,
    ...(kept && { [detailsMember(type)]: kept }),
  };
}

/** Such as `taskFailedEventDetails`. All states share the members of entering and of exiting. */
function detailsMember(type: HistoryEvent['type']): string {
  if (/State(Entered|Exited)$/.test(type)) {
    return type.endsWith('Entered') ? 'stateEnteredEventDetails' : 'stateExitedEventDetails';
  }
  return `${type[0].toLowerCase()}${type.slice(1)}EventDetails`;
}
