import globals from 'globals';
import tseslint from 'typescript-eslint';

/** TypeScript does not read these files. */
const SCRIPTS = ['**/*.mjs', '**/*.cjs'];

export default tseslint.config(
  { ignores: ['dist/', 'cdk.out/', 'coverage/', '**/.venv/'] },
  {
    files: SCRIPTS,
    languageOptions: { globals: globals.node },
    rules: { 'no-undef': 'error', 'no-unused-vars': ['error', { ignoreRestSiblings: true }] },
  },
  { files: ['**/*.cjs'], languageOptions: { sourceType: 'commonjs' } },
  {
    ignores: SCRIPTS,
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // One import for each module, of types and values.
      'no-duplicate-imports': 'error',
      // jsii knows maps by their index signature.
      '@typescript-eslint/consistent-indexed-object-style': 'off',
    },
  },
  {
    // These escape the characters that a terminal would obey.
    files: ['bin/**/*.ts'],
    ignores: ['bin/terminal/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            "CallExpression[callee.property.name='write'][callee.object.property.name=/^std(out|err)$/]",
          message: 'Use a function of bin/terminal/print.ts.',
        },
      ],
    },
  },
  {
    files: ['lib/**/*.ts'],
    ignores: ['lib/aws/annotate.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: "MemberExpression[object.name='Annotations']", message: 'Use lib/aws/annotate.ts.' },
      ],
    },
  },
  {
    // Describe blocks of tests are functions too, and may be long.
    ignores: ['**/*.test.ts', ...SCRIPTS],
    rules: { 'max-lines-per-function': ['error', { max: 60 }] },
  },
);
