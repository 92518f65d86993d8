/** Less time in the states of a child, so that the check waits little for what takes minutes. */
import type { JsonObject } from '../../local/json';

type States = Readonly<Record<string, JsonObject>>;

/** Changes the states of a child. */
export type Hurry = (states: States) => States;

/** No name of a state here depends on the model. */
function stateOf(states: States, name: string): JsonObject {
  if (!(name in states))
    throw new Error(`a child must have the state '${name}': got ${Object.keys(states).join()}`);
  return states[name];
}

/** Each pack has so many seconds. */
export function packSeconds(seconds: number): Hurry {
  return (states) => {
    const pack = stateOf(states, 'Pack');
    const endsAt = `{% $millis() + ${1000 * seconds} %}`;
    return { ...states, Pack: { ...pack, Assign: { ...(pack.Assign as JsonObject), endsAt } } };
  };
}

/** Timeouts of packs with such an item are divided. Those of other packs stay, so a slow machine fails no good item. */
export function dividedTimeouts(text: string, divisor: number): Hurry {
  const hurried = (state: JsonObject): JsonObject => {
    const { TimeoutSeconds } = state;
    // The batch's own function has a number.
    if (typeof TimeoutSeconds !== 'string') return state;
    const expression = TimeoutSeconds.replace(/^{%|%}$/g, '');
    const own = `$contains($string($items), '${text}') ? ${divisor} : 1`;
    return { ...state, TimeoutSeconds: `{% $ceil((${expression}) / (${own})) %}` };
  };
  return (states) => {
    stateOf(states, 'Split');
    return Object.fromEntries(Object.entries(states).map(([name, state]) => [name, hurried(state)]));
  };
}
