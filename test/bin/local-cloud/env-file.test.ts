import * as fs from 'node:fs';
import * as path from 'node:path';
import { EnvFile, HEADING } from '../../../bin/local-cloud/env-file';
import { variables } from '../../../bin/local-cloud/variables';
import type { LocalCloud } from '../../../local';
import { isLink, link } from '../../support/links-and-pipes';
import { temporaryFolder } from '../../support/temporary-folder';

const TEXT = `${HEADING}Stack\n`;

function fresh(): string {
  return path.join(temporaryFolder(), 'cloud.env');
}

describe('the file of --write-env', () => {
  it('replaces the one of an earlier command, and the link to it stays', async () => {
    const file = link('cloud.env');
    fs.writeFileSync(file, TEXT);
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

  it('is refused if it is not of its kind', () => {
    const file = fresh();
    fs.writeFileSync(file, 'SECRET=1');
    expect(() => new EnvFile(file)).toThrow(`got '${file}' with other content: choose another file`);
    expect(fs.readFileSync(file, 'utf8')).toBe('SECRET=1');
  });
});

it.each([
  [{}, '127.0.0.1'],
  [{ NO_PROXY: 'internal', no_proxy: 'other' }, 'other,127.0.0.1'],
  [{ no_proxy: '*' }, '*'],
  [{ no_proxy: 'other, 127.0.0.1' }, 'other, 127.0.0.1'],
])('the variables keep requests out of proxies and away from AWS, with %j', (user, hosts) => {
  const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' };
  const cloud = {
    s3: { credentials, certificateAuthority: {} },
    stepFunctions: {},
    lambda: {},
  } as unknown as LocalCloud;
  expect(variables(cloud, user)).toMatchObject({
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'false',
    NO_PROXY: hosts,
    no_proxy: hosts,
  });
});
