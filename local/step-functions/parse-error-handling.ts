/** Validates the Retry and Catch fields of a state. https://states-language.net/spec.html#errors */
import { LocalCloudError } from '../local-cloud-error';
import type { Catcher, StateExit, Retrier } from './definition';
import { ERROR } from './state-error';
import type { FieldReader } from './field-reader';
import { MAX_WAIT_SECONDS } from './limits';

/** The largest delay in seconds that Step Functions accepts. */
const MAX_DELAY_SECONDS = 31_622_400;

export function parseRetriers(state: FieldReader): Retrier[] {
  const readers = state.list('Retry');
  return readers.map((fields, at) => {
    const jitterStrategy = fields.optionalString('JitterStrategy') ?? 'NONE';
    if (jitterStrategy !== 'FULL' && jitterStrategy !== 'NONE')
      throw fields.invalid('JitterStrategy', 'FULL or NONE');
    const retrier: Retrier = {
      errorEquals: errorEquals(fields, at === readers.length - 1),
      intervalSeconds:
        fields.optionalNumber('IntervalSeconds', 'a positive integer', upTo(MAX_WAIT_SECONDS)) ?? 1,
      maxAttempts: fields.optionalNumber('MaxAttempts', 'an integer from 0', isCount) ?? 3,
      backoffRate: fields.optionalNumber('BackoffRate', 'a number from 1', (value) => value >= 1) ?? 2,
      maxDelaySeconds: fields.optionalNumber(
        'MaxDelaySeconds',
        'a positive integer',
        upTo(MAX_DELAY_SECONDS),
      ),
      jitterStrategy,
    };
    if (retrier.maxDelaySeconds !== undefined && retrier.maxDelaySeconds <= retrier.intervalSeconds) {
      throw fields.invalid('MaxDelaySeconds', 'more than IntervalSeconds');
    }
    fields.refuseOthers();
    return retrier;
  });
}

/** @param branch reads the target and the exit of a catcher, whose place in the state is such as `Catch[0]/` */
export function parseCatchers(
  state: FieldReader,
  branch: (fields: FieldReader, place: string) => StateExit & { readonly next: string },
): Catcher[] {
  const readers = state.list('Catch');
  return readers.map((fields, at) => {
    const catcher: Catcher = {
      errorEquals: errorEquals(fields, at === readers.length - 1),
      ...branch(fields, `Catch[${at}]/`),
    };
    fields.refuseOthers();
    return catcher;
  });
}

function errorEquals(fields: FieldReader, last: boolean): string[] {
  const value = fields.raw('ErrorEquals');
  if (!Array.isArray(value) || value.length === 0 || !value.every((name) => typeof name === 'string')) {
    throw fields.invalid('ErrorEquals', 'names of errors');
  }
  if (value.includes(ERROR.all) && (value.length > 1 || !last)) {
    throw new LocalCloudError(
      `${ERROR.all} in ${fields.place} must stand alone and last: fix the definition`,
    );
  }
  return value;
}

function upTo(maximum: number): (value: number) => boolean {
  return (value) => Number.isInteger(value) && value >= 1 && value <= maximum;
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}
