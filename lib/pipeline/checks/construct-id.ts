/** Checks the id of a construct before the base class uses it: callers may forget it and pass the props in its place. */
import { kind } from './check';

const ID = kind('a string', (value) => typeof value === 'string', 'pass scope, id and props');

export function constructId(id: string, type: string): string {
  ID(id, `the id of ${type}`);
  return id;
}
