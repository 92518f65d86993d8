/** Forgetting the variables of a cloud is the likeliest first mistake. Each caller then says so in one line. */
import { Example } from '../support/example';

/** What a script printed that failed. */
interface Failure {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An undefined variable is not set in a child process. */
const environment: NodeJS.ProcessEnv = { ...process.env, STATE_MACHINE_ARN: undefined, BUCKET: undefined };

async function failure(
  name: string,
  script: string,
  args: readonly string[],
  env = environment,
): Promise<Failure> {
  return await new Example(name).run(script, args, env).then(
    () => Promise.reject(new Error(`${script} of ${name} must fail`)),
    (error: unknown) => error as Failure,
  );
}

it.each([
  ['quickstart', 'call', [], 'STATE_MACHINE_ARN'],
  ['embeddings', 'call', [], 'STATE_MACHINE_ARN'],
  ['speech', 'call', [], 'STATE_MACHINE_ARN'],
  ['large-transformer', 'call', [], 'STATE_MACHINE_ARN'],
  ['object-arrival', 'results', ['seven'], 'STATE_MACHINE_ARN'],
  ['object-arrival', 'put', ['seven', '#.'], 'BUCKET'],
])('the caller of %s says in %s that a variable is missing', async (name, script, args, variable) => {
  const { code, stdout, stderr } = await failure(name, script, args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(new RegExp(`^[Ee]rror: ${variable} is not set: run \`\\. \\./cloud\\.env\`\n$`));
});

it.each([['object-arrival', 'put']])('the caller of %s shows in %s how to call it', async (name, script) => {
  const env = { ...environment, BUCKET: 'bucket' };
  const { code, stderr } = await failure(name, script, [], env);
  expect(code).toBe(1);
  expect(stderr).toMatch(new RegExp(`^Error: no .*: run npx tsx ${script}\\.ts .*\n$`));
});

it.each(['vpc-kms', 'workflow'])(
  'the demo of %s says in one line that there is no assembly',
  async (name) => {
    const { code, stderr } = await failure(name, 'demo', []);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^LocalCloudError: the cloud assembly 'cdk\.out' does not exist: run `cdk synth` first\n$/,
    );
  },
);

it('the caller in ten lines says in one line that it has no ARN', async () => {
  const { code, stdout, stderr } = await failure('callers', 'infer', []);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(
    /^TypeError: option stateMachineArn must be the ARN of a state machine, got '': pass .*\n$/,
  );
});
