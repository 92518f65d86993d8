/** A pipeline of one function that does what its request asks for, to reach the limits of Lambda in the local cloud. */
import type { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { PipelineStack, synthesize } from './pipeline-app';

/** Each request has one of these fields. */
const HANDLER = `
const fs = require('node:fs'), path = require('node:path');
const ACTIONS = {
  hang: () => new Promise(() => setInterval(() => {}, 1e6)),
  ignore: () => 'ignored',
  remaining: (_, context) => ({ milliseconds: context.getRemainingTimeInMillis() }),
  // Ends when 'go' exists in the folder.
  meet: async (folder) => {
    fs.writeFileSync(path.join(folder, 'arrived'), '');
    while (!fs.existsSync(path.join(folder, 'go'))) await new Promise((resolve) => setTimeout(resolve, 5));
  },
};
exports.handler = async ({ request }, context) => {
  const [[action, argument]] = Object.entries(request);
  return ACTIONS[action](argument, context);
};`;

/** @param properties of the function in the template */
export function limitedAssembly(properties: Readonly<Record<string, unknown>> = {}): string {
  return synthesize((app) => {
    const { slice } = new PipelineStack(app, 'Limited', { source: HANDLER });
    const resource = slice.node.defaultChild as CfnFunction;
    resource.addPropertyOverride('Timeout', 60);
    for (const [name, value] of Object.entries(properties)) resource.addPropertyOverride(name, value);
    resource.addPropertyDeletionOverride('Environment.Variables.BUCKET');
  });
}
