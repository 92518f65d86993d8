/** Follows an app that `init` wrote, as its user does: type check, synthesis, own test, call. Its packages are those of the repository. */
import { execFile, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { ROOT } from '../../support/documents';
import { serve } from '../../support/example';
import { nodesOf } from '../../support/graph-text';
import {
  BFLOAT16,
  BOOL,
  FLOAT,
  FLOAT16,
  INT64,
  type ModelInit,
  STRING,
  floats,
  mlp,
  modelOf,
  node,
  saveModel,
  temporaryFolder,
  value,
} from '../../support/model-builder';
import { hasPackages, runPython } from '../../support/python';
import { outcome, refuse } from '../../support/run-cli';
import { shareZips } from '../../support/share-zips';

const run = promisify(execFile);

/** Inputs as a transformer has them, and one of each other kind. A token has the ids 0 and 1, a token type 0 alone. */
function allKinds(): ModelInit {
  const ids = { type: INT64, dims: ['batch', 'sequence'] };
  const nodes = nodesOf(
    'Gather tokens input_ids > rows; Gather types token_type_ids > kinds; Add rows kinds > sum; ' +
      'Cast attention_mask > mask to=1; ReduceMax mask > seen keepdims=0; Mul sum seen > masked; ' +
      'ReduceMean pixels > light keepdims=0; Mul light scale > lit; Add masked lit > y; ' +
      'Identity words > echo; Not flag > opposite; Identity half > same',
  );
  const inputs = {
    ...{ input_ids: ids, attention_mask: ids, token_type_ids: ids },
    ...{ pixels: ['batch', 3, 8, 8], scale: [], words: { type: STRING, dims: ['batch'] } },
    ...{ flag: { type: BOOL, dims: [1] }, half: { type: FLOAT16, dims: [2] }, 'it\'s "x"': ['batch', 0] },
  };
  const weights = [floats('tokens', [2, 4]), floats('types', [1, 4])];
  const { graph } = modelOf([...nodes, node('Neg', ['it\'s "x"'], ['negated'])], inputs, weights);
  const others = { y: FLOAT, echo: STRING, opposite: BOOL, same: FLOAT16 };
  const output = Object.entries(others).map(([name, type]) => value(name, type));
  return { graph: { ...graph, output: [...output, ...graph.output] } };
}

/** Makes the packages of the repository, and the repository itself, those of the folder. */
function linkPackages(folder: string): void {
  const modules = path.join(folder, 'node_modules');
  fs.mkdirSync(modules);
  for (const name of fs.readdirSync(path.join(ROOT, 'node_modules')))
    fs.symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
  fs.symlinkSync(ROOT, path.join(modules, 'cdk-sliced-inference'), 'dir');
}

/** What the command in cdk.json does. */
async function synthesize(folder: string): Promise<string> {
  for (const file of fs.readdirSync(folder).filter((name) => /(?<!\.test)\.ts$/.test(name))) {
    const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
    const { outputText } = ts.transpileModule(fs.readFileSync(path.join(folder, file), 'utf8'), {
      compilerOptions,
    });
    fs.writeFileSync(path.join(folder, file.replace(/ts$/, 'js')), outputText);
  }
  const env = { ...process.env, CDK_OUTDIR: path.join(folder, 'cdk.out') };
  await run(process.execPath, ['app.js'], { cwd: folder, env });
  return shareZips(env.CDK_OUTDIR);
}

/** The tests do not run what a package manager has installed. */
const UNPUBLISHED =
  'note: the packages are not on npm and PyPI yet: first install what `npm run pack` writes in a clone\n';

test('an app in TypeScript has right types, passes its test and answers, as it was written', async () => {
  const model = saveModel(allKinds(), 'my model-v1.2 "x".onnx');
  const folder = path.join(path.dirname(model), "it's mine");
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "jest": {} }', { mode: 0o600 });
  const { code, stdout, stderr } = await outcome(['init', folder, '--model', model]);
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr:
      'note: the app refers to a model outside of its folder, ../my model-v1.2 "x".onnx\n' + UNPUBLISHED,
  });
  const written = [...stdout.matchAll(/^ {2}([\w.-]+\.\w+|\.gitignore)(,.*)?$/gm)].map(([, file]) => file);
  expect(written.sort()).toEqual(fs.readdirSync(folder).sort());
  expect(stdout).toContain(`  cd '${folder.replace("'", `'\\''`)}' && npm install\n`);
  expect(fs.statSync(path.join(folder, 'package.json')).mode & 0o777).toBe(0o600);

  linkPackages(folder);
  await run(process.execPath, [path.join(ROOT, 'node_modules/typescript/bin/tsc')], { cwd: folder });
  await run('npm', ['test', '--', '--ci=false'], { cwd: folder });
  expect(fs.readdirSync(path.join(folder, '__snapshots__'))).toHaveLength(1);

  const served = await serve(await synthesize(folder));
  const call = await run(process.execPath, ['--no-warnings', 'call.mjs'], {
    cwd: folder,
    env: served.environment,
  });
  await served.stop();
  expect(call.stdout.split('\n')).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^y float32\[1,\d+,4\]: /) as string,
      'echo string[1]: text',
      'opposite bool[1]: true',
      'same float16[2]: 1 1',
      expect.stringMatching(/^negated float32\[1,\d+\]: -0 -0.8/) as string,
    ]),
  );
  const called = (env: NodeJS.ProcessEnv) =>
    spawnSync(process.execPath, ['call.mjs'], { cwd: folder, encoding: 'utf8', env });
  expect(called({})).toMatchObject({
    status: 2,
    stderr: 'STATE_MACHINE_ARN must be the ARN that the stack prints, got none: see README.md\n',
  });
  expect(called({ STATE_MACHINE_ARN: 'foo' }).stderr).toMatch(/^TypeError: .*'foo'.*\n$/);
});

(hasPackages('sys') ? test : test.skip)('an app in Python compiles, with all names', async () => {
  const folder = temporaryFolder();
  const model = saveModel(allKinds(), '2. Modèle\u202e été.onnx', folder);
  const made = await outcome(['init', '--model', model, '--language', 'python'], { cwd: folder });
  expect(made).toMatchObject({ code: 0, stderr: UNPUBLISHED });
  expect(made.stdout).toContain('  . .venv/bin/activate && . ./cloud.env && python call.py\n');
  const env = { JSII_AGENT: 'Python/3.12.1', VIRTUAL_ENV: path.join(folder, 'own') };
  const other = await outcome(['init', 'a', '--model', model, '--language', 'python'], { cwd: folder, env });
  expect(other.stderr).not.toContain('PyPI');
  expect(other.stdout).toMatch(
    /next\n {2}cd a && pip install -r .*\n(.*\n){3} {2}cd a && \. \.\.\/own\/bin\/a/,
  );
  const compiled =
    'import glob; [compile(open(file).read(), file, "exec") for file in sorted(glob.glob("*.py"))]';
  expect(await runPython(['-c', compiled], { cwd: folder })).toBe('');
  const text = fs.readFileSync(path.join(folder, 'model_2_modele_ete_stack.py'), 'utf8');
  expect(text).toContain('class Model2ModeleEteStack(Stack):');
  expect(text).toContain('model_path="2. Modèle\\u202e été.onnx",');
});

test('a model in the cache of the hub gives the app its name, and the README the command that fetches it', async () => {
  const folder = path.join(temporaryFolder(), 'models--org--Mini-LM_v2/snapshots', 'ab12'.repeat(10), 'onnx');
  fs.mkdirSync(folder, { recursive: true });
  const app = temporaryFolder();
  fs.writeFileSync(path.join(app, 'package.json'), '{ "scripts": { "test": "echo none && exit 1" } }');
  const { stdout, stderr } = await outcome(['init', app, '--model', saveModel(mlp(1), 'model.onnx', folder)]);
  expect(stderr).toMatch(/^note: .*\/onnx\/model\.onnx; its README says how to download it again\n/);
  const text = fs.readFileSync(path.join(app, 'README.md'), 'utf8');
  expect(text).toContain(`\nhf download org/Mini-LM_v2 onnx/model.onnx --revision ${'ab12'.repeat(10)}\n`);
  expect(text).toContain(`The model is \`${fs.realpathSync(folder)}/model.onnx\`.`);
  // The script of the package.json stays as it is.
  for (const commands of [text, stdout]) expect(commands).toContain('npx jest --config jest.config.cjs');
  expect(fs.readFileSync(path.join(app, 'mini-lm-v2-stack.ts'), 'utf8')).toContain(
    `modelPath: '${fs.realpathSync(folder)}/model.onnx', // in this machine's cache: see README.md`,
  );
});

test.each([
  [2, '(2) }', /^note: the packages/],
  [
    3,
    '(3).fill(1n) }',
    /^warning: this plan is a guess: .*\nwarning: the model refuses the example values of call\.mjs \(.*\): replace them/,
  ],
])(
  'the call of a model with a rank of %i has values that it takes, or init warns',
  async (rank, data, said) => {
    const folder = temporaryFolder();
    const graph = modelOf(nodesOf('Reshape x shape > y'), {
      x: [2, 3],
      shape: { type: INT64, dims: [rank] },
    });
    const { stderr } = await outcome(['init', '--model', saveModel(graph, 'm.onnx', folder)], {
      cwd: folder,
    });
    expect(stderr).toMatch(said);
    expect(fs.readFileSync(path.join(folder, 'call.mjs'), 'utf8')).toContain(
      `data: new BigInt64Array${data}`,
    );
  },
);

describe('init writes nothing', () => {
  const random = modelOf([node('RandomNormalLike', ['x'], ['y'])], { x: [4] });
  const unsendable = modelOf(nodesOf('Cast x > y to=1'), { x: { type: BFLOAT16, dims: [4] } });

  it.each([
    ['no model', () => Buffer.from('PK'), /^model '.*' must be /],
    ['random operators', () => random, /^node 'RandomNormalLike_y' .*seed/],
    ['an input that cannot be sent', () => unsendable, /^input 'x' must be a tensor/],
  ] as const)('for %s', async (_name, init, message) => {
    const app = path.join(temporaryFolder(), 'app');
    expect(await refuse(['init', app, '--model', saveModel(init())])).toMatch(message);
    expect(fs.existsSync(app)).toBe(false);
  });

  it.each([
    [['call.mjs', '.gitignore'], "got 'call.mjs', '.gitignore' there: choose another folder or move them"],
    [['package.json'], 'must be a package.json of CommonJS, got text that is not a JSON object: correct it'],
  ])('into a folder with %j', async (names, message) => {
    const model = saveModel(mlp(1));
    const folder = temporaryFolder();
    for (const name of names) fs.writeFileSync(path.join(folder, name), 'mine');
    expect(await refuse(['init', '--model', model], { cwd: folder })).toContain(message);
    expect(fs.readdirSync(folder).sort()).toEqual([...names].sort());
  });
});
