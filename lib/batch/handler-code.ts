/** The code of a pipeline's handlers, which decides results as the model does. */
import { createHash } from 'node:crypto';
import { type IResolveContext, Lazy, Token } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';

/**
 * A digest of the code and the settings of functions, as they are in the template. Other code makes another digest.
 *
 * @returns undefined without functions
 */
export function handlerDigest(handlers: readonly lambda.IFunction[]): string | undefined {
  if (handlers.length === 0) return undefined;
  return Lazy.uncachedString({
    produce: (context) =>
      createHash('sha256')
        .update(JSON.stringify(handlers.map((own) => codeOf(own, context))))
        .digest('hex'),
  });
}

/** Whether the app does not know the function's code: it is imported, without a version. */
export function isUnversioned(handler: lambda.IFunction): boolean {
  return resourceOf(handler) === undefined && !/:\d+$/.test(arnOf(handler));
}

function codeOf(handler: lambda.IFunction, context: IResolveContext): unknown {
  const resource = resourceOf(handler);
  if (resource === undefined) return arnOf(handler);
  const { code, handler: entry, runtime, layers, environment, imageConfig } = resource;
  return context.resolve({ code, entry, runtime, layers, environment, imageConfig });
}

function resourceOf(handler: lambda.IFunction): lambda.CfnFunction | undefined {
  // A version or an alias has the function.
  const { lambda: own = handler } = handler as Partial<lambda.IVersion>;
  const { defaultChild } = own.node;
  return defaultChild instanceof lambda.CfnFunction ? defaultChild : undefined;
}

function arnOf({ functionArn }: lambda.IFunction): string {
  return Token.isUnresolved(functionArn) ? '' : functionArn;
}
