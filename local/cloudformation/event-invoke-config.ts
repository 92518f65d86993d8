/** Reads how Lambda handles asynchronous calls of a function's version or alias. */
import { checkProperties } from './check-properties';
import type { Template } from './template';

export interface AsynchronousSettings {
  /** After failures of the function. */
  readonly maxRetries: number;
  /** A call that waits for longer is dropped. */
  readonly maxAgeSeconds: number;
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html */
export const DEFAULT_ASYNCHRONOUS_SETTINGS: AsynchronousSettings = { maxRetries: 2, maxAgeSeconds: 21_600 };

const PROPERTIES = {
  used: ['FunctionName', 'Qualifier', 'MaximumRetryAttempts', 'MaximumEventAgeInSeconds'],
  withoutEffect: [],
};

/**
 * @param functionId logical id of the function
 * @param qualifier the version or the alias that is called; `$LATEST` for the function itself
 */
export function readAsynchronousSettings(
  template: Template,
  functionId: string,
  qualifier: string,
): AsynchronousSettings {
  const own = template
    .resourcesOfType('AWS::Lambda::EventInvokeConfig')
    // Before anything is resolved: what a value of another function refers to may be unsupported.
    .filter(({ properties }) => JSON.stringify(properties.FunctionName).includes(`"${functionId}"`))
    .find((resource) => template.text(resource, 'Qualifier') === qualifier);
  if (own === undefined) return DEFAULT_ASYNCHRONOUS_SETTINGS;
  checkProperties(own, PROPERTIES);
  const { maxRetries, maxAgeSeconds } = DEFAULT_ASYNCHRONOUS_SETTINGS;
  const number = (name: string, byDefault: number): number =>
    Number(template.property(own, name) ?? byDefault);
  return {
    maxRetries: number('MaximumRetryAttempts', maxRetries),
    maxAgeSeconds: number('MaximumEventAgeInSeconds', maxAgeSeconds),
  };
}
