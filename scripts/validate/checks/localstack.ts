/**
 * LocalStack's interpreter of state machines, if the user has set it up (CONTRIBUTING.md): it must end executions as our
 * interpreter does, with the same output or error and the same calls.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { isJsonArray, isJsonObject, type Json } from '../../../local/basics/json';
import type { Check, Finding } from '../check';
import { definitionsOf } from '../definitions';
import { differences, type Result } from '../localstack/results';
import { runHere, type Execution } from '../localstack/run-here';
import { scenariosOf, type Scenario } from '../localstack/scenarios';
import type { SynthesizedCase } from '../synthesize';

/** Names a virtual environment of Python with LocalStack, which also has a folder `jars`. */
const FOLDER_VARIABLE = 'SLICED_INFERENCE_LOCALSTACK';

/** LocalStack evaluates a JSONata expression in milliseconds, so definitions of many slices would take minutes. */
const MAX_FUNCTIONS = 8;

const DRIVER = path.join(__dirname, '../../../../scripts/validate/localstack/driver.py');

interface Run {
  readonly subject: number;
  readonly place: string;
  readonly scenario: Scenario;
  readonly execution: Execution;
  readonly ours: Result;
}

export const localStack: Check = {
  name: 'LocalStack',
  run: async (cases) => {
    const { [FOLDER_VARIABLE]: folder } = process.env;
    if (folder === undefined) return { skipped: 'not set up (CONTRIBUTING.md tells how)' };
    const runs = await runAllHere(cases);
    const theirs = runInLocalStack(
      folder,
      runs.map(({ execution }) => execution),
    );
    const findings = cases.map((): Finding[] => []);
    runs.forEach(({ subject, place, scenario, ours }, index) => {
      const differing = differences(ours, theirs[index], Object.keys(scenario.attempts));
      findings[subject].push(
        ...differing.map((message) => ({ place: `${place}, if ${scenario.name}`, message })),
      );
    });
    return { findings };
  },
};

async function runAllHere(cases: readonly SynthesizedCase[]): Promise<Run[]> {
  const runs: Run[] = [];
  for (const [subject, own] of cases.entries()) {
    for (const { place, text, definition, isExpress } of definitionsOf(own)) {
      const functions = [...new Set(functionNames(definition))];
      // Our interpreter knows only JSONata, the language of pipelines.
      if (functions.length > MAX_FUNCTIONS || definition.QueryLanguage !== 'JSONata') continue;
      // LocalStack has no $uuid, and ours differs each time.
      const comparable = text.replaceAll('$uuid()', "'00000000-0000-4000-8000-000000000000'");
      for (const scenario of scenariosOf(functions)) {
        const { execution, result } = await runHere(
          comparable,
          isExpress ? 'EXPRESS' : 'STANDARD',
          scenario,
          `run-${runs.length}`,
        );
        runs.push({ subject, place, scenario, execution, ours: result });
      }
    }
  }
  return runs;
}

function runInLocalStack(folder: string, executions: readonly Execution[]): Result[] {
  const python = path.join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const jars = path.join(folder, 'jars');
  if (!fs.existsSync(python) || !fs.existsSync(jars))
    throw new Error(
      `${FOLDER_VARIABLE} must name a folder with Python and jars, got '${folder}': see CONTRIBUTING.md`,
    );
  const { status, stdout, stderr } = spawnSync(python, [DRIVER, jars], {
    input: JSON.stringify(executions),
    encoding: 'utf8',
    maxBuffer: Infinity,
  });
  if (status !== 0)
    throw new Error(`LocalStack's interpreter must run, got exit code ${String(status)}: ${stderr}`);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Result[];
}

/** The functions that the tasks of a definition call, in its order. */
function functionNames(value: Json): string[] {
  if (isJsonArray(value)) return value.flatMap(functionNames);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, item]) =>
    name === 'FunctionName' && typeof item === 'string' ? [item] : functionNames(item ?? null),
  );
}
