import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { EnvFile, HEADING } from '../../../bin/local-cloud/env-file';
import { variables } from '../../../bin/local-cloud/variables';
import type { LocalCloud } from '../../../local';
import { isLink, link, namedPipe } from '../../support/links-and-pipes';
import { temporaryFolder } from '../../support/temporary-folder';

const TEXT = `${HEADING}Stack\n`;

function fresh(): string {
  return path.join(temporaryFolder(), 'cloud.env');
}

describe('the file of --write-env', () => {
  it.each([
    ['the one that serves', `# process ${process.pid}`],
    ['its parent', `# process ${process.ppid}`],
    ['one that has ended', `# process ${spawnSync(process.execPath, ['--version']).pid}`],
    ['one of an earlier version', ''],
  ])('is replaced if it is of process %s, and the link to it stays', async (_, line) => {
    const file = link('cloud.env');
    fs.writeFileSync(file, `${TEXT}${line}\n`);
    const envFile = new EnvFile(file);
    expect(fs.existsSync(file)).toBe(false);
    await envFile.write(TEXT);
    expect(fs.readFileSync(file, 'utf8')).toBe(`${TEXT}# process ${process.pid}\n`);
    expect(fs.readdirSync(path.dirname(fs.realpathSync(file)))).toEqual(['cloud.env']);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    envFile.remove();
    expect([fs.existsSync(file), isLink(file)]).toEqual([false, true]);
  });

  it('stays if another command has replaced it', async () => {
    const file = fresh();
    const envFile = new EnvFile(file);
    await envFile.write(TEXT);
    fs.writeFileSync(file, 'of another command');
    envFile.remove();
    expect(fs.readFileSync(file, 'utf8')).toBe('of another command');
  });

  (process.platform === 'win32' ? it.skip : it)('may be a pipe, which stays', async () => {
    const file = fresh();
    const { text } = namedPipe(file);
    const envFile = new EnvFile(file);
    await envFile.write(TEXT);
    envFile.remove();
    expect(fs.statSync(file).isFIFO()).toBe(true);
    expect(await text).toContain(TEXT);
  });

  it('is refused if it is not of its kind, or in a folder that does not exist', () => {
    const file = fresh();
    fs.writeFileSync(file, 'SECRET=1');
    expect(() => new EnvFile(file)).toThrow(`got '${file}' with other content: choose another file`);
    expect(fs.readFileSync(file, 'utf8')).toBe('SECRET=1');
    expect(() => new EnvFile(path.join(file, 'none'))).toThrow(/^--write-env must be in an existing folder/);
  });
});

it.each([
  [{}, '127.0.0.1'],
  [{ NO_PROXY: 'internal' }, 'internal,127.0.0.1'],
  [{ NO_PROXY: 'internal', no_proxy: 'other' }, 'other,127.0.0.1'],
  [{ no_proxy: '*' }, '*'],
  [{ no_proxy: 'other, 127.0.0.1' }, 'other, 127.0.0.1'],
])('the variables keep requests out of proxies and away from AWS, with %j', (user, hosts) => {
  const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' };
  const cloud = { s3: { credentials }, stepFunctions: {} } as unknown as LocalCloud;
  expect(variables(cloud, user)).toMatchObject({
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'false',
    NO_PROXY: hosts,
    no_proxy: hosts,
  });
});
