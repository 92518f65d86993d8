/** Node.js warns of more than ten listeners of a signal. Jest has signals of its own, so the calls run in a process without it. */
import { spawnSync } from 'node:child_process';
import { builtFile } from '../../lib/host/packages';
import { described, MACHINE, succeeded } from '../support/fake-aws';

const SCRIPT = `
const [client, machine, answers] = process.argv.slice(1);
const { SlicedInferenceClient } = require(client);
const answer = JSON.parse(answers);
const aws = { send: async (command) => answer[command.constructor.name] };
const model = new SlicedInferenceClient({ stateMachineArn: machine, stepFunctions: aws, s3: aws });
const { signal } = new AbortController();
const many = (work) => Promise.all(Array.from({ length: 32 }, work));
(async () => {
  await many(() => model.infer({ x: [1] }, { signal }));
  await many(() => model.describe());
  let ended = 0;
  const options = { concurrency: 32, signal };
  for await (const { result } of model.inferMany(Array(64).fill({ x: [1] }), options)) if (result) ended++;
  console.log(ended);
})();
`;

it('many calls at a time, also with one signal, make Node.js warn of nothing', () => {
  const answers = { DescribeStateMachineCommand: described(), StartSyncExecutionCommand: succeeded() };
  const args = [builtFile('bundle/client.js'), MACHINE, JSON.stringify(answers)];
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', SCRIPT, ...args], { encoding: 'utf8' });
  expect({ stdout, stderr }).toEqual({ stdout: '64\n', stderr: '' });
});
