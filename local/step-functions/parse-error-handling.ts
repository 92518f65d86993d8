/** Validates the Retry and Catch fields of a state. https://states-language.net/spec.html#errors */
import type { Catcher, StateExit, Retrier } from './definition';
import type { FieldReader } from './field-reader';

export function parseRetriers(state: FieldReader): Retrier[] {
  return state.list('Retry').map((fields) => {
    const jitterStrategy = fields.optionalString('JitterStrategy') ?? 'NONE';
    if (jitterStrategy !== 'FULL' && jitterStrategy !== 'NONE')
      throw fields.invalid('JitterStrategy', 'FULL or NONE');
    const atLeast = (name: string, least: number): number | undefined =>
      fields.optionalNumber(name, `a number from ${least}`, (value) => value >= least);
    const retrier: Retrier = {
      errorEquals: errorEquals(fields),
      intervalSeconds: atLeast('IntervalSeconds', 1) ?? 1,
      maxAttempts: atLeast('MaxAttempts', 0) ?? 3,
      backoffRate: atLeast('BackoffRate', 1) ?? 2,
      maxDelaySeconds: atLeast('MaxDelaySeconds', 1),
      jitterStrategy,
    };
    fields.refuseOthers();
    return retrier;
  });
}

/** @param branch reads the target and the exit of a catcher, whose place in the state is such as `Catch[0]/` */
export function parseCatchers(
  state: FieldReader,
  branch: (fields: FieldReader, place: string) => StateExit & { readonly next: string },
): Catcher[] {
  return state.list('Catch').map((fields, at) => {
    const catcher: Catcher = { errorEquals: errorEquals(fields), ...branch(fields, `Catch[${at}]/`) };
    fields.refuseOthers();
    return catcher;
  });
}

function errorEquals(fields: FieldReader): string[] {
  const value = fields.raw('ErrorEquals');
  if (Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string'))
    return value;
  throw fields.invalid('ErrorEquals', 'names of errors');
}
