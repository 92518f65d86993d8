/** The settings of slice functions, for all and for individual slices, and their validation. */
import { Duration, Lazy, Size, Token } from 'aws-cdk-lib';
import { type SliceFunctionOptions, Slicing } from '../../../lib';
import { optionsOfSlices } from '../../../lib/aws/slice-function-options';
import { errorOf, pipelineStack } from '../../support/pipeline-stack';

describe('sliceFunctionOverrides', () => {
  test('override the settings of sliceFunctions one by one', () => {
    const common: SliceFunctionOptions = {
      memorySize: 1024,
      timeout: Duration.seconds(30),
      environment: { A: 'all', B1: 'all' },
    };
    const [first, second] = optionsOfSlices(
      2,
      { ...common, environment: { AA: 'all', BB: 'all' } },
      {
        'slice-01': { memorySize: 2048, environment: { BB: 'own' } },
      },
    );
    expect(first.memorySize).toBe(1024);
    expect(second).toEqual({
      memorySize: 2048,
      timeout: common.timeout,
      environment: { AA: 'all', BB: 'own' },
    });
  });

  test('that are undefined do not override', () => {
    const overrides = { 'slice-00': { memorySize: undefined } } as never;
    expect(optionsOfSlices(1, { memorySize: 1024 }, overrides)[0].memorySize).toBe(1024);
  });

  test('apply to their function, and count for the thread count of all functions', () => {
    const { resource } = pipelineStack({
      slicing: Slicing.count(3),
      sliceFunctions: { memorySize: 1024 },
      sliceFunctionOverrides: { 'slice-02': { memorySize: 3540, ephemeralStorageSize: Size.gibibytes(2) } },
    });
    const functions = [0, 1, 2].map((slice) => resource(`Pipeline/slice-0${slice}/Function`));
    expect(functions.map(({ MemorySize }) => MemorySize)).toEqual([1024, 1024, 3540]);
    expect(functions.map(({ EphemeralStorage }) => EphemeralStorage)).toEqual([
      { Size: 512 },
      { Size: 512 },
      { Size: 2048 },
    ]);
    for (const { Environment } of functions) {
      expect(Environment).toMatchObject({ Variables: { SLICE_THREADS: '3' } });
    }
  });

  test.each(['slice-3', 'slice-03', '0', 'toString'])(
    'refuse the name %s, which is not a slice of the plan',
    (name) => {
      const refused = errorOf(() =>
        pipelineStack({
          slicing: Slicing.count(3),
          sliceFunctionOverrides: { [name]: { memorySize: 2048 } },
        }),
      );
      expect(refused).toBe(
        `sliceFunctionOverrides must name slices of the plan (slice-00 to slice-02), got '${name}': use one of these names`,
      );
    },
  );
});

test('concurrency is reserved for the function, and provisioned for an alias that the state machine calls', () => {
  const { resource, resources } = pipelineStack({
    slicing: Slicing.count(2),
    sliceFunctions: { reservedConcurrentExecutions: 10 },
    sliceFunctionOverrides: { 'slice-01': { provisionedConcurrentExecutions: 2 } },
  });
  expect(resource('Pipeline/slice-00/Function').ReservedConcurrentExecutions).toBe(10);
  expect(resources('AWS::Lambda::Alias')).toEqual({
    'Pipeline/slice-01/Function/Alias': {
      FunctionName: '{Pipeline/slice-01/Function}',
      FunctionVersion: '{Pipeline/slice-01/Function/CurrentVersion.Version}',
      Name: 'live',
      ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 2 },
    },
  });
  const { DefinitionString } = resource('Pipeline/StateMachine');
  expect(DefinitionString).toContain('"FunctionName":"{Pipeline/slice-00/Function/CurrentVersion}"');
  expect(DefinitionString).toContain('"FunctionName":"{Pipeline/slice-01/Function/Alias}"');
});

test('a version is retained when a new version replaces it', () => {
  pipelineStack({ slicing: Slicing.count(2) }).template.allResources('AWS::Lambda::Version', {
    DeletionPolicy: 'RetainExceptOnCreate',
    UpdateReplacePolicy: 'Retain',
  });
});

describe('optionsOfSlices refuses', () => {
  const refusals: [string, SliceFunctionOptions, string][] = [
    [
      'too little memory',
      { memorySize: 127 },
      'memorySize must be a whole number of MB from 128 to 10240, got 127: use a value in this range',
    ],
    [
      'too long a timeout',
      { timeout: Duration.minutes(16) },
      'timeout must be a whole number of seconds from 1 to 900, got 960: use a value in this range',
    ],
    [
      'a timeout of half a second',
      { timeout: Duration.millis(500) },
      'timeout must be a whole number of seconds from 1 to 900, got 0.5: use a value in this range',
    ],
    [
      'too little storage',
      { ephemeralStorageSize: Size.mebibytes(511) },
      'ephemeralStorageSize must be a whole number of MB from 512 to 10240, got 511: use a value in this range',
    ],
    [
      'too much storage',
      { ephemeralStorageSize: Size.gibibytes(11) },
      'ephemeralStorageSize must be a whole number of MB from 512 to 10240, got 11264: use a value in this range',
    ],
    [
      'a concurrency of 0',
      { reservedConcurrentExecutions: 0 },
      'reservedConcurrentExecutions must be a whole number of 1 or more, got 0: use a whole number or leave it out',
    ],
    [
      'a fractional concurrency',
      { provisionedConcurrentExecutions: 0.5 },
      'provisionedConcurrentExecutions must be a whole number of 1 or more, got 0.5: use a whole number or leave it out',
    ],
    [
      'more provisioned than reserved concurrency',
      { reservedConcurrentExecutions: 2, provisionedConcurrentExecutions: 3 },
      'provisionedConcurrentExecutions must be at most reservedConcurrentExecutions, got 3 provisioned and 2 reserved: raise reservedConcurrentExecutions or lower provisionedConcurrentExecutions',
    ],
    [
      'a variable that the library uses',
      { environment: { SLICE_BUCKET: 'mine' } },
      "environment must not set variables that the library uses, got 'SLICE_BUCKET': choose another name",
    ],
    [
      'an invalid variable name',
      { environment: { '1A': '' } },
      "environment must have names of two or more letters, digits and underscores that start with a letter, got '1A': choose another name",
    ],
  ];

  test.each(refusals)('%s, for all slices and for one', (_, options, message) => {
    expect(errorOf(() => optionsOfSlices(2, options))).toBe(`sliceFunctions.${message}`);
    expect(errorOf(() => optionsOfSlices(2, {}, { 'slice-01': options }))).toBe(
      `sliceFunctionOverrides['slice-01'].${message}`,
    );
  });

  test('more provisioned concurrency for one slice than reserved for each', () => {
    const overrides = { 'slice-01': { provisionedConcurrentExecutions: 3 } };
    expect(errorOf(() => optionsOfSlices(2, { reservedConcurrentExecutions: 2 }, overrides))).toContain(
      'got 3 provisioned and 2 reserved',
    );
  });
});

test('optionsOfSlices accepts values that are known only at deployment', () => {
  const number = Lazy.number({ produce: () => 1 });
  const options: SliceFunctionOptions = {
    memorySize: number,
    timeout: Duration.seconds(number),
    ephemeralStorageSize: Size.mebibytes(number),
    reservedConcurrentExecutions: number,
    provisionedConcurrentExecutions: number,
    environment: { OWN: Token.asString({ Ref: 'Own' }) },
  };
  expect(optionsOfSlices(1, options)).toEqual([options]);
});
