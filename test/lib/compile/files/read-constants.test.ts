import * as path from 'node:path';
import * as fs from 'node:fs';
import { readEnvironment, readPrices } from '../../../../lib/compile/files/read-constants';
import { MAX_CONSTANTS_BYTES, printConstants } from '../../../../lib/cost/constants/constants-file';
import { ENVIRONMENT } from '../../../../lib/cost/constants/defaults';
import { fileWith } from '../../../support/changed-json';
import { temporaryFolder } from '../../../support/temporary-folder';

const folder = temporaryFolder();

describe('a file of constants', () => {
  it('replaces prices', () => {
    const file = fileWith('{"version":1,"prices":{"s3":{"standardPuts":{"value":4,"unit":"USD/million"}}}}');

    expect(readPrices(file).s3.standardPuts).toEqual({
      value: 4,
      unit: 'USD/million',
      known: 'replaced',
      source: file,
      date: '',
    });
  });

  it('describes an environment', () => {
    expect(readEnvironment(fileWith(printConstants('environment', ENVIRONMENT)))).toEqual(ENVIRONMENT);
  });

  it('must be a file', () => {
    expect(() => readPrices(folder)).toThrow(/^prices file '.*' must be a readable file, got a folder: /);
    expect(() => readPrices('/dev/zero')).toThrow('got a pipe or a device');
    expect(() => readEnvironment(path.join(folder, 'none.json'))).toThrow(
      /^environment file '.*none.json' must be a readable file, got no such file or folder: check the path$/,
    );
    expect(() => readPrices('s3://bucket/prices.json')).toThrow('got an S3 address');
  });

  it('must not be larger than constants are', () => {
    const file = fileWith('');
    fs.truncateSync(file, MAX_CONSTANTS_BYTES + 1);

    expect(() => readPrices(file)).toThrow(`must have at most ${MAX_CONSTANTS_BYTES} bytes`);
  });

  it('of prices is not one of an environment', () => {
    expect(() => readEnvironment(fileWith('{"version":1,"prices":{}}'))).toThrow(
      "must have no field other than version, environment, got 'prices'",
    );
  });
});
