/** Runs the last actions of all local clouds of this process with one listener: Node.js warns of more than ten. */
const actions = new Set<() => void>();

/**
 * Runs a synchronous action when this process exits.
 * @returns a function that takes the action back
 */
export function atExit(action: () => void): () => void {
  if (actions.size === 0) process.on('exit', runAll);
  actions.add(action);
  return () => {
    actions.delete(action);
    if (actions.size === 0) process.off('exit', runAll);
  };
}

function runAll(): void {
  for (const action of actions) action();
}
