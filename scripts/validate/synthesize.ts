/** Synthesizes the stacks of the table once, with CDK's validation of CloudFormation templates as errors. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { App, NestedStack, Stack, Stage, Token } from 'aws-cdk-lib';
import * as cxapi from 'aws-cdk-lib/cx-api';
import type { JsonObject } from '../../local/json';
import { ResolvedTemplates, type SynthesizedTemplate, type Templates } from './resolve';
import type { StackCase } from './stacks';

/** The part that we read of the file that CDK writes beside the templates. */
interface ValidationReport {
  readonly pluginReports: readonly {
    readonly pluginName: string;
    readonly violations: readonly {
      readonly ruleName: string;
      readonly description: string;
      readonly violatingConstructs: readonly { readonly constructPath: string }[];
    }[];
  }[];
}

export interface SynthesizedCase extends Templates {
  readonly name: string;
  readonly hardened: boolean;
  readonly chosen: readonly string[];
  readonly app: App;
  /** What CDK's validation wrote, unless it is switched off. */
  readonly report: ValidationReport | undefined;
}

export interface Finding {
  readonly place: string;
  readonly message: string;
}

export interface Check {
  readonly name: string;
  readonly find: (subject: SynthesizedCase) => readonly Finding[] | Promise<readonly Finding[]>;
}

const CONTEXT = {
  [cxapi.VALIDATE_AGAINST_DEFAULT_RULES]: true,
  // The check reads the report, so the synthesis goes on and prints nothing.
  [cxapi.FAIL_SYNTH_ON_VALIDATION_ERRORS_CONTEXT]: false,
};

export function synthesizeCase(
  { name, flags, hardened = false, chosen = [], build }: StackCase,
  models: Parameters<StackCase['build']>[1],
  outdir: string,
): SynthesizedCase {
  const recommended = require.resolve('aws-cdk-lib/recommended-feature-flags.json');
  const context = { ...(flags === 'recommended' && readJson(recommended)), ...CONTEXT };
  const app = new App({ outdir, analyticsReporting: false, context });
  withoutNotices(() => {
    build(app, models);
    app.synth();
  });
  const templates = app.node.findAll().filter(Stack.isStack).map(readTemplate);
  const reportFile = path.join(outdir, cxapi.VALIDATION_REPORT_FILE);
  const report = fs.existsSync(reportFile)
    ? (readJson(reportFile) as unknown as ValidationReport)
    : undefined;
  return { name, hardened, chosen, app, templates, resolved: new ResolvedTemplates(templates), report };
}

function readTemplate(stack: Stack): SynthesizedTemplate {
  const file = path.join(Stage.of(stack)?.outdir ?? '', stack.templateFile);
  const known = (text: string, placeholder: string): string =>
    Token.isUnresolved(text) ? placeholder : text;
  const parent = NestedStack.isNestedStack(stack) ? stack.nestedStackParent : undefined;
  const resource = stack.nestedStackResource;
  return {
    path: stack.node.path,
    // The physical name of a nested stack is a token.
    name: known(stack.stackName, stack.node.path.replaceAll('/', '-')),
    environment: {
      account: known(stack.account, '000000000000'),
      region: known(stack.region, 'us-east-1'),
    },
    file,
    template: readJson(file),
    ...(parent &&
      resource && {
        parent: parent.node.path,
        resourceInParent: parent.resolve(resource.logicalId) as string,
      }),
  };
}

function readJson(file: string): JsonObject {
  return JSON.parse(fs.readFileSync(file, 'utf8')) as JsonObject;
}

/** CDK writes a line for each asset that it bundles to standard error, and has no switch for it. */
function withoutNotices(action: () => void): void {
  const { stderr } = process;
  const write = stderr.write.bind(stderr);
  const filtered = (...args: Parameters<typeof write>): boolean =>
    String(args[0]).startsWith('Bundling asset ') || write(...args);
  stderr.write = filtered as typeof write;
  try {
    action();
  } finally {
    stderr.write = write;
  }
}
