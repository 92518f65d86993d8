/** cfn-lint, if this machine has it, on templates with resolved definitions: it skips definitions inside `Fn::Join`. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { entriesOf, isJsonObject, type Json, type JsonObject } from '../../../local/basics/json';
import type { Check, Finding } from '../check';
import type { SynthesizedTemplate, Templates } from '../resolve';

/** Rules whose findings are no faults, each with the reason. */
const IGNORED: Readonly<Record<string, string>> = {
  W3005:
    "CDK makes a resource depend on a role and on the role's policies. The reference to the role implies only the first half.",
};

/** What cfn-lint writes for each match: https://github.com/aws-cloudformation/cfn-lint/blob/main/src/cfnlint/formatters/__init__.py */
interface Match {
  readonly Filename: string;
  readonly Message: string;
  readonly Rule: { readonly Id: string };
  readonly Location: { readonly Path?: readonly (string | number)[] };
}

/** cfn-lint's exit codes combine these bits if it has found something. */
const FOUND = 2 | 4 | 8;

/** The ways to start cfn-lint, of which the first that works is used. */
const COMMANDS: readonly (readonly [string, ...string[]])[] = [['cfn-lint'], ['python3', '-m', 'cfnlint']];

function installed(): readonly [string, ...string[]] | undefined {
  return COMMANDS.find(([program, ...args]) => spawnSync(program, [...args, '--version']).status === 0);
}

/** @returns the findings of each subject */
export function lint(
  [program, ...args]: readonly [string, ...string[]],
  subjects: readonly Templates[],
): Finding[][] {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-cfn-lint-'));
  try {
    const files = new Map<string, { readonly subject: number; readonly stack: SynthesizedTemplate }>();
    for (const [subject, { templates, resolved }] of subjects.entries()) {
      for (const stack of templates) {
        const file = path.join(folder, `${files.size}.template.json`);
        fs.writeFileSync(
          file,
          JSON.stringify(withDefinitions(stack, (value) => resolved.resolve(stack, value))),
        );
        files.set(file, { subject, stack });
      }
    }
    const options = ['--format', 'json', '--ignore-checks', ...Object.keys(IGNORED), '--'];
    const { status, stdout, stderr, error } = spawnSync(program, [...args, ...options, ...files.keys()], {
      encoding: 'utf8',
      maxBuffer: Infinity,
    });
    if (error) throw error;
    if (status === null || (status & ~FOUND) !== 0) throw new Error(`cfn-lint failed: ${stderr}`);
    const matches = JSON.parse(stdout) as readonly Match[];
    return subjects.map((_, subject) =>
      matches.flatMap(({ Filename, Message, Rule, Location }) => {
        const owner = files.get(Filename);
        if (owner?.subject !== subject) return [];
        return [
          { place: [owner.stack.path, ...(Location.Path ?? [])].join('/'), message: `${Rule.Id} ${Message}` },
        ];
      }),
    );
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** The template with the definitions of its state machines as text without intrinsic functions. */
function withDefinitions({ template }: SynthesizedTemplate, resolve: (value: Json) => Json): JsonObject {
  const resources = isJsonObject(template.Resources) ? template.Resources : {};
  const resolved = entriesOf(resources).map(([id, resource]): [string, Json] => {
    if (!isJsonObject(resource) || !isJsonObject(resource.Properties)) return [id, resource];
    const { DefinitionString } = resource.Properties;
    if (DefinitionString === undefined) return [id, resource];
    const properties = { ...resource.Properties, DefinitionString: resolve(DefinitionString) };
    return [id, { ...resource, Properties: properties }];
  });
  return { ...template, Resources: Object.fromEntries(resolved) };
}

export const cfnLint: Check = {
  name: 'cfn-lint',
  run: (cases) => {
    const command = installed();
    return Promise.resolve(
      command === undefined
        ? { skipped: 'not found (install with: pip install cfn-lint)' }
        : { findings: lint(command, cases) },
    );
  },
};
