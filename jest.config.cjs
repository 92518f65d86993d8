// Another release of CDK to test with, `oldest` or `middle`: a suffix of package names in `test/other-versions`.
const { TEST_CDK } = process.env;

/** @type {import('jest').Config} */
module.exports = {
  globalSetup: '<rootDir>/test/support/jest/global-setup.cjs',
  globalTeardown: '<rootDir>/test/support/jest/global-teardown.cjs',
  testEnvironment: '<rootDir>/test/support/jest/environment.cjs',
  testSequencer: '<rootDir>/test/support/jest/sequencer.cjs',
  // Jest's default leaves one core idle.
  maxWorkers: '100%',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  moduleNameMapper: {
    // Examples import the package by its name. Tests run its sources, as they do for their own imports.
    '^cdk-sliced-inference$': '<rootDir>/lib/index.ts',
    '^cdk-sliced-inference/(client|local)$': '<rootDir>/$1/index.ts',
    ...(TEST_CDK && {
      '^(aws-cdk-lib|constructs)(/.*)?$': `<rootDir>/test/other-versions/node_modules/$1-${TEST_CDK}$2`,
    }),
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  testTimeout: 120_000,
};
