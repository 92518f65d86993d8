import { readEnvironment, readPrices } from '../../../../lib/compile/files/read-constants';
import { printConstants } from '../../../../lib/cost/constants/constants-file';
import { ENVIRONMENT } from '../../../../lib/cost/constants/defaults';
import { fileWith } from '../../../support/changed-json';

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

  it('of prices is not one of an environment', () => {
    expect(() => readEnvironment(fileWith('{"version":1,"prices":{}}'))).toThrow(
      "must have no field other than version, environment, got 'prices'",
    );
  });
});
