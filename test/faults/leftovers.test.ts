import * as fs from 'node:fs';
import * as path from 'node:path';
import { spawnSync } from 'node:child_process';
import { builtFile } from '../../lib/host/package-files';
import { temporaryFolder } from '../support/temporary-folder';

/** Looks for leftovers in a process of its own, because Jest has processes and sockets. */
function leftoversAfter(preparation: string): string[] {
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, 'known'), '');
  const script = `
    const { leftovers } = require(${JSON.stringify(builtFile('test/faults/leftovers.js'))});
    const folder = ${JSON.stringify(folder)};
    (async () => {
      ${preparation}
      console.log(JSON.stringify(await leftovers(folder, ['known'], 0)));
      process.exit();
    })();`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  if (stderr !== '') throw new Error(stderr);
  return JSON.parse(stdout) as string[];
}

const SOCKETS = `
  const server = net.createServer().listen(0, '127.0.0.1');
  await events.once(server, 'listening');
  const socket = net.connect(server.address().port, '127.0.0.1');
  await events.once(server, 'connection');`;

it.each([
  ['none in a process that left nothing', '', []],
  ['files that were not known', "fs.writeFileSync(folder + '/new', '');", ['file new']],
  ['child processes', "child_process.spawn('sleep', ['5'], { detached: true });", ['process sleep 5']],
  [
    'listening and open sockets',
    SOCKETS,
    ['Server', 'Socket', 'Socket'].map((kind) => `socket TCP${kind}Wrap`),
  ],
])('leftovers are %s', (_, preparation, left) => {
  expect(leftoversAfter(preparation).sort()).toEqual(left);
});
