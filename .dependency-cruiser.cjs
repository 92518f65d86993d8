// The one way that dependencies point, as rules. Types count as much as values: they too tie one part to another.

/** The synth side from the bottom up: a layer may use the ones before it and no later one. */
const LAYERS = [
  // What every layer may use, and which uses none of them.
  ['base', '^lib/(cache/|(errors|make-folder|onnxruntime|package-files|run-child|temporary-folder)[.]ts$)'],
  ['onnx', '^lib/onnx/'],
  ['optimise', '^lib/optimise/'],
  ['shapes', '^lib/shapes/'],
  ['plan', '^lib/plan/'],
  ['emit', '^lib/emit/'],
  ['compile', '^lib/(analyse|describe-plan|compile|stage)[.]ts$'],
  ['aws', '^lib/aws/'],
  [
    'construct',
    '^lib/(slicing|sliced-model|slice-metric|tensor-store|known-at-synth|graph-optimization|warm-up|pipeline-props|check-props|sliced-inference-(pipeline|dashboard|alarms)|index)[.]ts$',
  ],
];

const CDK = 'node_modules/(aws-cdk-lib|constructs)/';
const CONTRACT = '^lambda/contract[.]ts$';
const TOOLS = '^(local|bin)/';

const layerRules = LAYERS.slice(0, -1).map(([name, path], index) => ({
  name: `${name}-uses-no-later-layer`,
  comment: `In lib/, dependencies point one way: ${LAYERS.map(([layer]) => layer).join(' <- ')}.`,
  severity: 'error',
  from: { path },
  to: { path: LAYERS.slice(index + 1).map(([, later]) => later) },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: 'lib-has-a-layer',
      comment: 'A new file of lib/ lies in the folder of its layer, or is named in LAYERS above.',
      severity: 'error',
      from: { path: '^lib/', pathNot: LAYERS.map(([, path]) => path) },
      to: {},
    },
    {
      name: 'emit-knows-plans-by-type-only',
      comment: 'What is emitted was decided before: emit/ takes plans and wirings as data and makes none.',
      severity: 'error',
      from: { path: '^lib/emit/' },
      to: { path: '^lib/plan/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'plan-is-pure',
      comment: 'Planning uses types and shapes as data; ONNX Runtime is asked before.',
      severity: 'error',
      from: { path: '^lib/plan/' },
      to: { path: '^lib/shapes/', pathNot: '^lib/shapes/value-types[.]ts$' },
    },
    {
      name: 'lib-stands-alone',
      comment: 'The synth side shares one file with the run side, and nothing with what stands on top.',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^(lambda|client|local|bin|examples|bench|test)/', pathNot: CONTRACT },
    },
    {
      name: 'lambda-stands-alone',
      comment: 'What runs in a slice function is small and knows nothing of synth.',
      severity: 'error',
      from: { path: '^lambda/' },
      to: { path: ['^(lib|client|local|bin|examples|bench|test)/', CDK] },
    },
    {
      name: 'contract-imports-nothing',
      comment: 'Both sides import the contract: what it imported, both would.',
      severity: 'error',
      from: { path: CONTRACT },
      to: {},
    },
    {
      name: 'client-stays-light',
      comment:
        'Application code bundles the client: it shares codecs with the functions, and has neither CDK nor lib/.',
      severity: 'error',
      from: { path: '^client/' },
      to: { path: ['^(lib|local|bin|examples|bench|test)/', CDK] },
    },
    {
      name: 'cdk-in-construct-and-aws-only',
      comment: 'The compiler works without CDK: the command line uses it too.',
      severity: 'error',
      from: {
        path: '^(lib|local|bin)/',
        pathNot: [
          '^lib/(slicing|sliced-model|slice-metric|tensor-store|known-at-synth|graph-optimization|pipeline-props|check-props|sliced-inference-(pipeline|dashboard|alarms)|index)[.]ts$',
          '^lib/aws/',
        ],
      },
      to: { path: CDK },
    },
    {
      name: 'slicing-knows-cdk-by-type-only',
      comment: 'Choosing cuts needs the type of a size, not CDK.',
      severity: 'error',
      from: { path: '^lib/slicing[.]ts$' },
      to: { path: CDK, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'tools-stand-on-top',
      comment: 'local/ and bin/ are used by examples, tests and benchmarks; bin/ may use local/.',
      severity: 'error',
      from: { pathNot: ['^(examples|test|bench)/', TOOLS] },
      to: { path: TOOLS },
    },
    {
      name: 'local-without-command-line',
      comment: 'The local cloud is a library; the command line is one of its users.',
      severity: 'error',
      from: { path: '^local/' },
      to: { path: '^(bin|examples|bench|test)/' },
    },
    {
      name: 'examples-are-leaves',
      comment: 'An example shows how to use the library; nothing may need it.',
      severity: 'error',
      from: { pathNot: '^(examples|test|bench)/' },
      to: { path: '^(examples|test|bench)/' },
    },
    {
      name: 'no-cycles',
      comment: 'Files of a cycle cannot be read, tested or moved one by one.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'shipped-code-needs-no-dev-dependency',
      comment: 'A user who installs the package has no development dependencies.',
      severity: 'error',
      from: { path: '^(lib|lambda|client|local|bin)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer', 'type-only'] },
    },
    {
      name: 'nothing-unresolved',
      comment: 'An import that resolves to nothing escapes every other rule.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
