import { FAULT_KINDS } from '../../../local/faults/kinds';
import { parseFaultRates } from '../../../local/faults/parse-rates';

describe('rates of faults', () => {
  it('are read by kind', () => {
    expect(parseFaultRates('s3-503:0.1, flipped-bit:.01,reset:1')).toEqual({
      's3-503': 0.1,
      'flipped-bit': 0.01,
      reset: 1,
    });
  });

  it('may be given for all kinds, and then changed for some', () => {
    const rates = parseFaultRates('all:0.02,stalled-body:0');
    expect(Object.keys(rates)).toEqual([...FAULT_KINDS]);
    expect([rates.throttled, rates['stalled-body']]).toEqual([0.02, 0]);
  });

  it.each([
    [
      'fliped-bit:0.1',
      "the local cloud must know the kind of a fault, got 'fliped-bit': did you mean 'flipped-bit'?",
    ],
    ['s3-504:0.1', "the local cloud must know the kind of a fault, got 's3-504': did you mean 's3-503'?"],
    [
      'foo:1',
      "the local cloud must know the kind of a fault, got 'foo': the kinds are all, s3-503, s3-500, s3-409, reset,",
    ],
    ['al:0.1', "the local cloud must know the kind of a fault, got 'al': did you mean 'all'?"],
    ['reset', "a fault must be written as kind:rate, got 'reset': write it like s3-503:0.1"],
    ['', "a fault must be written as kind:rate, got '': write it like s3-503:0.1"],
    ['reset:0.1:2', "a fault must be written as kind:rate, got 'reset:0.1:2': write it like s3-503:0.1"],
    ['reset:1.01', "the rate of 'reset' must be a number from 0 to 1, got '1.01': write it like reset:0.1"],
    ['reset:-0.1', "the rate of 'reset' must be a number from 0 to 1, got '-0.1': write it like reset:0.1"],
    ['reset:5%', "the rate of 'reset' must be a number from 0 to 1, got '5%': write it like reset:0.1"],
    ['reset:', "the rate of 'reset' must be a number from 0 to 1, got '': write it like reset:0.1"],
  ])('are refused as %j', (text, message) => {
    expect(() => parseFaultRates(text)).toThrow(message);
  });

  it('are refused with all kinds for a name that resembles none', () => {
    expect(() => parseFaultRates('earthquakes:0.1')).toThrow(
      /the kinds are all, s3-503, .*, killed-after-write$/,
    );
  });
});
