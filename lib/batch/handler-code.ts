/** The code of a pipeline's handlers, which decides results as the model does. */
import { hash } from 'node:crypto';
import { type IResolveContext, Lazy, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { publishedVersion, type TaskFunction, userFunction } from '../aws/workflow/invoke-function';

/** What tells the code of a function: a digest of what the template says of it, or the ARN of an imported one, which may be a token. */
export function codeIdentity(handler: lambda.IFunction): string {
  const resource = resourceOf(handler);
  if (resource === undefined) return handler.functionArn;
  return Lazy.uncachedString({
    produce: (context) => hash('sha256', JSON.stringify(codeOf(resource, context))),
  });
}

/**
 * What a batch calls: the version that the template has. The results of a batch are those of one digest of the code, so a deployment during
 * the batch must not change the code that it calls. A function of another stack stays as it is: its versions would be exports, which
 * CloudFormation refuses to replace.
 */
export function versionToCall(handler: lambda.IFunction, stack: Stack): TaskFunction {
  const version = isVersion(handler) || Stack.of(handler) !== stack ? handler : versionOf(handler);
  if (!isVersion(version)) return userFunction(handler);
  // A batch that is in progress during a deployment keeps calling the version that it started with.
  const { defaultChild } = version.node;
  if (defaultChild instanceof lambda.CfnVersion)
    defaultChild.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
  return publishedVersion(version.lambda, version);
}

/** Whether a deployment can change the code behind what `versionToCall` returns. */
export function isUnversioned(handler: lambda.IFunction): boolean {
  return !isVersion(handler) && !/:\d+$/.test(handler.functionArn);
}

function versionOf(handler: lambda.IFunction): lambda.IFunction | undefined {
  // Of an alias, and of a function of the app.
  const { version, currentVersion } = handler as Partial<lambda.IAlias & lambda.Function>;
  return version ?? currentVersion;
}

function isVersion(handler: lambda.IFunction | undefined): handler is lambda.IVersion {
  return typeof (handler as Partial<lambda.IVersion> | undefined)?.version === 'string';
}

function codeOf(resource: lambda.CfnFunction, context: IResolveContext): unknown {
  const { code, handler, runtime, layers, environment, imageConfig } = resource;
  return context.resolve({ code, handler, runtime, layers, environment, imageConfig });
}

function resourceOf(handler: lambda.IFunction): lambda.CfnFunction | undefined {
  // A version or an alias has the function.
  const { lambda: own = handler } = handler as Partial<lambda.IVersion>;
  const { defaultChild } = own.node;
  return defaultChild instanceof lambda.CfnFunction ? defaultChild : undefined;
}
