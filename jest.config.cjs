const path = require('node:path');

// A folder whose `node_modules` has another release of CDK, to test with that one.
const { CDK_FOLDER } = process.env;
const otherCdk = CDK_FOLDER && path.resolve(CDK_FOLDER, 'node_modules');

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
  moduleNameMapper: otherCdk ? { '^(aws-cdk-lib|constructs)(/.*)?$': `${otherCdk}/$1$2` } : {},
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  testTimeout: 120_000,
};
