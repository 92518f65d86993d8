/** Checks the scope and the id of a construct before the base class uses them: callers may forget or swap them. */
import type { Construct } from 'constructs';
import { kind } from './check';
import { CONSTRUCT } from './kinds';

const ID = kind('a string', (value) => typeof value === 'string', 'pass scope, id and props');

/** @returns the id */
export function constructId(scope: Construct, id: string, type: string): string {
  CONSTRUCT(scope, `the scope of ${type}`);
  ID(id, `the id of ${type}`);
  return id;
}
