/** Reads an object of a definition field by field, checks types, and refuses fields that the caller has not read. */
import { LocalCloudError, unsupported } from '../local-cloud-error';
import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../json';
import { compileQuery, type Query } from './query';

export class FieldReader {
  private readonly content: JsonObject;
  private readonly read = new Set(['Comment']);

  constructor(
    value: Json | undefined,
    /** For messages, such as `state 'A'`. */
    readonly place: string,
  ) {
    if (!isJsonObject(value)) throw new LocalCloudError(`${place} is not an object: fix the definition`);
    this.content = value;
  }

  raw(name: string): Json | undefined {
    this.read.add(name);
    return this.content[name];
  }

  string(name: string): string {
    const value = this.raw(name);
    if (typeof value !== 'string') throw this.invalid(name, 'text');
    return value;
  }

  optionalString(name: string): string | undefined {
    return this.raw(name) === undefined ? undefined : this.string(name);
  }

  optionalNumber(name: string, expected: string, valid: (value: number) => boolean): number | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !valid(value)) throw this.invalid(name, expected);
    return value;
  }

  /** @param place of the fields in their state, such as `Catch[0]/` */
  query(name: string, place = ''): Query | undefined {
    const value = this.raw(name);
    return value === undefined ? undefined : compileQuery(value, `${place}${name}`);
  }

  object(name: string): JsonObject {
    const value = this.raw(name);
    if (!isJsonObject(value)) throw this.invalid(name, 'an object');
    return value;
  }

  /** Readers of the objects in a list; an empty list if the field is absent. */
  list(name: string): FieldReader[] {
    const value = this.raw(name) ?? [];
    if (!isJsonArray(value)) throw this.invalid(name, 'a list');
    return value.map((item, at) => new FieldReader(item, `${this.place} ${name}[${at}]`));
  }

  invalid(name: string, expected: string): LocalCloudError {
    const got = JSON.stringify(this.content[name] ?? null);
    return new LocalCloudError(
      `${name} of ${this.place} expects ${expected}, got ${got}: fix the definition`,
    );
  }

  /** Refuses all fields that have not been read. Call it last. */
  refuseOthers(): void {
    for (const name of Object.keys(this.content)) {
      if (!this.read.has(name)) throw unsupported(`the field ${name} of ${this.place}`);
    }
  }
}
