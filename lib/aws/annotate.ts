/**
 * Warnings, notes and errors of a construct. CDK prints warnings and notes as they are, so what a terminal would obey in names of a model
 * is escaped here. It prints the path of the construct beside them; an error has it in its message.
 */
import { Annotations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { SlicedInferenceError, escaped } from '../errors';

const PREFIX = 'cdk-sliced-inference:';

export function warn(scope: IConstruct, id: string, message: string): void {
  Annotations.of(scope).addWarningV2(`${PREFIX}${id}`, escaped(message));
}

export function inform(scope: IConstruct, id: string, message: string): void {
  Annotations.of(scope).addInfoV2(`${PREFIX}${id}`, escaped(message));
}

/** The error, with the path of the construct if it is one of this library. */
export function located(scope: IConstruct, error: unknown): unknown {
  return error instanceof SlicedInferenceError ? error.at(scope.node.path) : error;
}

/** Runs what may refuse a value that a construct got. */
export function inConstruct<Result>(scope: IConstruct, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw located(scope, error);
  }
}
