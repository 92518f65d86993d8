import { FAULT_KINDS } from '../../../local/faults/kinds';
import { parseFaultRates } from '../../../local/faults/injector';

describe('rates of faults', () => {
  it('are read by kind, or for all kinds and then changed for some', () => {
    expect(parseFaultRates('s3-503:0.1, flipped-bit:.01,reset:1')).toEqual({
      's3-503': 0.1,
      'flipped-bit': 0.01,
      reset: 1,
    });
    const rates = parseFaultRates('all:0.02,stalled-body:0');
    expect(Object.keys(rates)).toEqual([...FAULT_KINDS]);
    expect([rates.throttled, rates['stalled-body']]).toEqual([0.02, 0]);
  });

  it.each([
    ['foo:1', "got 'foo': the kinds are all, s3-503, s3-500,"],
    ['reset', "a fault must be written as kind:rate, got 'reset'"],
    ['', "a fault must be written as kind:rate, got ''"],
    ['reset:0.1:2', "a fault must be written as kind:rate, got 'reset:0.1:2'"],
    ['reset:1.01', "the rate of 'reset' must be a number from 0 to 1, got '1.01'"],
    ['reset:-0.1', "got '-0.1'"],
    ['reset:5%', "got '5%'"],
    ['reset:', "got ''"],
  ])('are refused as %j', (text, message) => {
    expect(() => parseFaultRates(text)).toThrow(message);
  });
});
