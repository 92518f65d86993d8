const path = require('node:path');

// Another release of CDK than the one that is installed here: the folder whose node_modules has it.
const { CDK_FOLDER } = process.env;
const otherCdk = CDK_FOLDER && path.resolve(CDK_FOLDER, 'node_modules');

/** @type {import('jest').Config} */
module.exports = {
  globalSetup: '<rootDir>/test/support/jest/global-setup.cjs',
  globalTeardown: '<rootDir>/test/support/jest/global-teardown.cjs',
  testEnvironment: '<rootDir>/test/support/jest/environment.cjs',
  // Jest's default leaves one core idle: on two cores, that is half of them.
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
