/** Runs a pipeline in the local cloud in rounds, and records what CloudWatch would count in each. */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { LocalCloud } = require('../../dist/local/index.js');

/** Runs of each round, how many of them have a wrong request, and how many new connections Lambda refuses. */
const ROUNDS = [
  { runs: 3 },
  { runs: 5 },
  { runs: 6 },
  { runs: 8 },
  { runs: 8, wrong: 2 },
  { runs: 10 },
  { runs: 12, faults: { throttled: 0.15 } },
  { runs: 12, faults: { throttled: 0.15 } },
  { runs: 9 },
  { runs: 6 },
  { runs: 5, wrong: 1 },
  { runs: 4 },
];

/** @returns by round: the values of each metric, by its name and by the logical id of a function or '' */
export async function record(assembly, request) {
  let lines = [];
  let events = [];
  const cloud = await LocalCloud.start(assembly, {
    onLog: (functionName, line) => lines.push({ functionName, line }),
    onTrace: (event) => events.push(event),
    retryPauses: 0.02,
  });
  try {
    const rounds = [];
    for (const [index, { runs, wrong = 0, faults }] of ROUNDS.entries()) {
      lines = [];
      events = [];
      cloud.injectFaults(faults && { seed: index, rates: faults });
      const times = [];
      const ended = await Promise.all(
        Array.from({ length: runs }, async (_, run) => {
          const start = performance.now();
          const input = run < wrong ? { version: 1, inputs: { tensors: {} } } : request;
          const { status } = await cloud.execute(input);
          times.push(performance.now() - start);
          return status;
        }),
      );
      const count = (status) => ended.filter((own) => own === status).length;
      const values = new Map([
        ['ExecutionsStarted ', [runs]],
        ['ExecutionsSucceeded ', [count('SUCCEEDED')]],
        ['ExecutionsFailed ', [count('FAILED')]],
        ['ExecutionsTimedOut ', [count('TIMED_OUT')]],
        ['ExecutionTime ', times],
      ]);
      addCalls(values, lines);
      addThrottles(values, events, cloud);
      rounds.push(values);
    }
    return rounds;
  } finally {
    await cloud.close();
  }
}

function push(values, key, value) {
  values.set(key, [...(values.get(key) ?? []), value]);
}

function addCalls(values, lines) {
  for (const { functionName, line } of lines) {
    const duration = /^REPORT .*\tDuration: (\S+) ms/.exec(line)?.[1];
    if (duration !== undefined) {
      push(values, `Duration ${functionName}`, Number(duration));
      push(values, `Invocations ${functionName}`, 1);
    }
    if (!line.startsWith('{')) continue;
    const fields = JSON.parse(line);
    if (fields.message === 'slice failed') push(values, `Errors ${functionName}`, 1);
    if (fields.message !== 'slice ran') continue;
    for (const name of ['coldStarts', 'runMs', 'peakMemoryBytes'])
      push(values, `${name} ${functionName}`, fields[name]);
  }
}

/** The name of a function that was throttled is in the name of its state only. */
function addThrottles(values, events, cloud) {
  const names = [...cloud.logs().keys()];
  for (const { type, state, error } of events) {
    if (type !== 'TaskFailed' || error !== 'Lambda.TooManyRequestsException') continue;
    const number = /(\d\d)$/.exec(state)?.[1];
    const functionName = names.find((name) => name.includes(`slice${number}`));
    if (functionName !== undefined) push(values, `Throttles ${functionName}`, 1);
  }
}

/** A statistic of CloudWatch. `undefined` without values. */
export function statistic(stat, values = []) {
  if (values.length === 0) return stat === 'Sum' ? 0 : undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const sum = values.reduce((total, value) => total + value, 0);
  if (stat === 'Sum') return sum;
  if (stat === 'Maximum') return sorted[sorted.length - 1];
  if (stat === 'Average') return sum / values.length;
  return sorted[Math.ceil((Number(stat.slice(1)) / 100) * sorted.length) - 1];
}
