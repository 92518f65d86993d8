/** What travels in the state: the request, and the tensors in the fields of events, in variables and in outputs between tasks. */
import type { Schedule } from '../../cost/schedule';
import { slicesOf } from '../../plan/schedule/schedule';
import {
  type HandedOnPlan,
  type StateTensorLimits,
  leavingSlices,
  readersOf,
} from '../../plan/schedule/state-tensor-limits';
import { MAX_REQUEST_BYTES, MAX_REQUEST_WITH_TENSORS } from '../../../contract/slice-event';

/** JSONata of what earlier states found, by name: `timing0`, `tensors0`. */
export type Found = ReadonlyMap<string, string>;

export class StateTensors {
  private readonly readers: ReadonlyMap<number, ReadonlySet<number>>;

  constructor(
    plan: HandedOnPlan,
    private readonly limits: StateTensorLimits,
  ) {
    this.readers = readersOf(plan);
  }

  /**
   * The fields of a slice's event: the tensors that it reads, and how many it may answer.
   *
   * @param found with the variables that the slice's state can read
   * @param request JSONata of the request
   * @param sendsRequest whether a slice's event has the request too
   */
  eventFields(
    slice: number,
    found: Found,
    request: string,
    sendsRequest: (slice: number) => boolean,
  ): Readonly<Record<string, unknown>> {
    const read = [...this.limits.keys()].flatMap((source) => {
      const variable = this.readers.get(source)?.has(slice) && found.get(`tensors${source}`);
      return variable === undefined || variable === false ? [] : [[source, `{% ${variable} %}`] as const];
    });
    const limit = this.limits.get(slice);
    const readers = [...(this.readers.get(slice) ?? [])];
    return {
      ...(read.length > 0 && { tensors: Object.fromEntries(read) }),
      ...(limit !== undefined && {
        maxTensors: readers.some(sendsRequest) ? limitWithRequest(request, limit) : limit,
      }),
    };
  }

  /**
   * What a series of states finds for states after it: the times of its slices and then, of those whose tensors are read after
   * it, the tensors.
   */
  foundBy(series: Schedule): { readonly timings: readonly string[]; readonly tensors: readonly string[] } {
    const handedOn = leavingSlices(series, this.readers).filter((slice) => this.limits.has(slice));
    return {
      timings: slicesOf(series).map((slice) => `timing${slice}`),
      tensors: handedOn.map((slice) => `tensors${slice}`),
    };
  }
}

/** By kind of character: the regular expression that matches one UTF-16 unit of it, and as many bytes as UTF-8 needs. */
const WIDTHS = [
  ['[\\ud800-\\udfff]', 'xx'],
  ['[\\u0080-\\u07ff]', 'xx'],
  ['[^\\x00-\\x7f]', 'xxx'],
] as const;

/**
 * Returns an expression for the request, or for an `OversizedRequest` if the event could not hold it. More than 256 KiB would
 * fail the execution with `States.DataLimitExceeded`, which no state can catch and which does not say why. Step Functions counts
 * the bytes of UTF-8, and JSONata counts characters. JSONata also shortens numbers to 15 digits, so a request near the limit
 * whose `data` has many longer numbers still fails with `States.DataLimitExceeded`.
 *
 * @param request a JSONata expression without its `{%` and `%}`
 */
export function boundedRequest(request: string): string {
  const oversized = `$bytes > ${MAX_REQUEST_BYTES} ? {'requestBytes': $bytes}`;
  return `{% ($bytes := ${bytesOf(request)}; ${oversized} : ${request}) %}`;
}

/**
 * Returns an expression for `limit`, or for 0 if the request leaves no room for so many characters of tensors beside it in an event.
 *
 * @param request a JSONata expression without its `{%` and `%}`
 */
function limitWithRequest(request: string, limit: number): string {
  return `{% ${bytesOf(request)} > ${MAX_REQUEST_WITH_TENSORS} ? 0 : ${limit} %}`;
}

function bytesOf(request: string): string {
  const ascii = WIDTHS.reduce(
    (text, [wide, bytes]) => `$replace(${text}, /${wide}/, '${bytes}')`,
    `$string(${request})`,
  );
  return `$length(${ascii})`;
}
