import * as fs from 'node:fs';
import * as path from 'node:path';
import { EnvFile, HEADING } from '../../../bin/local-cloud/env-file';
import { temporaryFolder } from '../../support/model-builder';

describe('the file of --write-env', () => {
  it.each([process.pid, process.ppid])(
    'is replaced if it names process %d, which is this one or its parent',
    (pid) => {
      const file = path.join(temporaryFolder(), 'cloud.env');
      fs.writeFileSync(file, `${HEADING}Stack\n# process ${pid}\n`);
      expect(new EnvFile(file)).toBeDefined();
      expect(fs.existsSync(file)).toBe(false);
    },
  );

  it('is readable by its owner only, and goes when the command ends', async () => {
    const file = path.join(temporaryFolder(), 'cloud.env');
    const envFile = new EnvFile(file);
    await envFile.write(`${HEADING}Stack\n`);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    envFile.remove();
    expect(fs.existsSync(file)).toBe(false);
  });
});
