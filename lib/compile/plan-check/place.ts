/** Names a place in a plan file and describes what is there, for errors. */
import { SlicedInferenceError, printable, quoted } from '../../errors';

/** Longest text of a plan that an error repeats, in characters. */
const MAX_SHOWN = 60;

const ADVICE = 'make the plan again with `sliced-inference slice`, and do not edit it';

/** A place in a plan, such as `slices[2].weights.sha256`. */
export class Place {
  /** @param plan path of the plan file */
  static root(plan: string): Place {
    return new Place(plan);
  }

  private constructor(
    private readonly plan: string,
    private readonly parent?: Place,
    private readonly step = '',
  ) {}

  /** @param name a name of this library, not of the file */
  field(name: string): Place {
    return new Place(this.plan, this, this.parent === undefined ? name : `.${name}`);
  }

  item(index: number): Place {
    return new Place(this.plan, this, `[${index}]`);
  }

  /** @param key text of the file */
  entry(key: string): Place {
    return new Place(this.plan, this, `[${quoted(printable(key, MAX_SHOWN))}]`);
  }

  /** @param must says what is allowed here */
  fault(must: string, value: unknown): SlicedInferenceError {
    return this.faultOf(must, described(value));
  }

  faultOf(must: string, got: string, advice = ADVICE): SlicedInferenceError {
    return new SlicedInferenceError(`${this.subject()} must ${must}`, got, advice);
  }

  private subject(): string {
    const plan = `plan ${quoted(this.plan)}`;
    return this.parent === undefined ? plan : `${this.path()} of ${plan}`;
  }

  private path(): string {
    return this.parent === undefined ? '' : `${this.parent.path()}${this.step}`;
  }
}

/** Describes lists and objects by their kind alone: they may be deep or large. */
export function described(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'nothing';
    case 'string':
      return `'${printable(value, MAX_SHOWN)}'`;
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? `a list of ${value.length}` : 'an object';
    default:
      // JSON has only numbers, true and false besides.
      return String(value);
  }
}
