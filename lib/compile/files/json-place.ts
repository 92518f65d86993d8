/** Names a place in a file of JSON and describes what is there, for errors. */
import { SlicedInferenceError, printable, quoted } from '../../errors';

/** Longest text of a file that an error repeats, in characters. */
const MAX_SHOWN = 60;

/** How errors speak of a file. */
interface FileWording {
  /** For example `plan`. */
  readonly kind: string;
  readonly advice: string;
}

const PLAN: FileWording = {
  kind: 'plan',
  advice: 'make the plan again with `sliced-inference slice`, and do not edit it',
};

/** A place in a file, such as `slices[2].weights.sha256` of a plan. */
export class Place {
  /** @param file path of the file */
  static root(file: string, wording = PLAN): Place {
    return new Place(file, wording);
  }

  private constructor(
    private readonly file: string,
    private readonly wording: FileWording,
    private readonly parent?: Place,
    private readonly step = '',
  ) {}

  /** @param name a name of this library, not of the file */
  field(name: string): Place {
    return new Place(this.file, this.wording, this, this.parent === undefined ? name : `.${name}`);
  }

  item(index: number): Place {
    return new Place(this.file, this.wording, this, `[${index}]`);
  }

  /** @param key text of the file */
  entry(key: string): Place {
    return new Place(this.file, this.wording, this, `[${quoted(printable(key, MAX_SHOWN))}]`);
  }

  /** @param must says what is allowed here */
  fault(must: string, value: unknown): SlicedInferenceError {
    return this.faultOf(must, described(value));
  }

  faultOf(must: string, got: string, advice = this.wording.advice): SlicedInferenceError {
    return new SlicedInferenceError(`${this.subject()} must ${must}`, got, advice);
  }

  private subject(): string {
    const file = `${this.wording.kind} ${quoted(this.file)}`;
    return this.parent === undefined ? file : `${this.path()} of ${file}`;
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

/**
 * @param must says what the text is to be
 * @throws SlicedInferenceError for a text that is not JSON
 */
export function jsonOf(text: string, place: Place, must: string, advice: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const got = text.trim() === '' ? 'an empty file' : 'text that is not JSON';
    throw place.faultOf(must, got, advice);
  }
}
