/** Warnings and notes of a construct. CDK prints them as they are, so what a terminal would obey in names of a model is escaped here. */
import { Annotations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { escaped } from '../errors';

const PREFIX = 'cdk-sliced-inference:';

export function warn(scope: IConstruct, id: string, message: string): void {
  Annotations.of(scope).addWarningV2(`${PREFIX}${id}`, escaped(message));
}

export function inform(scope: IConstruct, id: string, message: string): void {
  Annotations.of(scope).addInfoV2(`${PREFIX}${id}`, escaped(message));
}
