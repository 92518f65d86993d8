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
    ...(TEST_CDK && {
      '^(aws-cdk-lib|constructs)(/.*)?$': `<rootDir>/test/other-versions/node_modules/$1-${TEST_CDK}$2`,
    }),
    // Examples import the package by its name; here that means the sources.
    '^cdk-sliced-inference$': '<rootDir>/lib/index.ts',
    '^cdk-sliced-inference/(client|local)$': '<rootDir>/$1/index.ts',
  },
  transform: {
    '\\.ts$|/hyparquet(-writer)?/.+\\.js$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  // These packages have ES modules only.
  transformIgnorePatterns: ['/node_modules/(?!hyparquet(-writer)?/)'],
  // A test that hangs ends. On a machine that is busy with other work, the longest ones take minutes.
  testTimeout: 600_000,
};
