// The directions of imports, as rules by folder. Types count as much as values: they too tie one part to another.

/** The synth side from the bottom up: a layer may use earlier layers, never later ones. */
const LIB_LAYERS = [
  ['basics', '^lib/(errors|extremes)[.]ts$'],
  ['host', '^lib/host/'],
  ['cache', '^lib/cache/'],
  ['onnx', '^lib/onnx/'],
  ['optimize', '^lib/optimize/'],
  ['shapes', '^lib/shapes/'],
  ['dataflow', '^lib/dataflow/'],
  ['compute-time', '^lib/compute-time/'],
  ['cost', '^lib/cost/'],
  ['plan', '^lib/plan/'],
  ['emit', '^lib/emit/'],
  ['compile', '^lib/compile/'],
  ['aws', '^lib/aws/'],
  ['pipeline', '^lib/pipeline/'],
  ['monitoring', '^lib/monitoring/'],
  ['index', '^lib/index[.]ts$'],
];

/** The rooms of planning, likewise. */
const PLAN_LAYERS = [
  ['file', '^lib/plan/file/'],
  ['wiring', '^lib/plan/wiring/'],
  ['sizes', '^lib/plan/sizes/'],
  ['cuts', '^lib/plan/cuts/'],
  ['goal', '^lib/plan/goal[.]ts$'],
  ['schedule', '^lib/plan/schedule/'],
  ['pricing', '^lib/plan/pricing/'],
  ['search', '^lib/plan/search/'],
  ['slicing', '^lib/plan/slicers/'],
  ['choose', '^lib/plan/choose/'],
  ['best-cut', '^lib/plan/best-cut[.]ts$'],
];

/** The run side, likewise. */
const LAMBDA_LAYERS = [
  ['errors', '^lambda/(errors|json-values)[.]ts$'],
  ['tensors', '^lambda/tensors/'],
  ['telemetry', '^lambda/telemetry/'],
  ['store', '^lambda/store/'],
  ['request', '^lambda/request/'],
  ['slice', '^lambda/slice/'],
  ['whole', '^lambda/whole-model[.]ts$'],
  ['tensor-flow', '^lambda/tensor-flow/'],
  ['handler', '^lambda/handler[.]ts$'],
];

/** The local cloud, likewise. */
const LOCAL_LAYERS = [
  ['values', '^local/(json|local-cloud-error|notices|seeded-random|zip-archive)[.]ts$'],
  ['tls', '^local/tls/'],
  ['http', '^local/http/'],
  ['iam', '^local/iam/'],
  ['simulation', '^local/simulation/'],
  ['faults', '^local/faults/'],
  ['s3', '^local/s3/'],
  ['cloudformation', '^local/cloudformation/'],
  ['step-functions', '^local/step-functions/'],
  ['events', '^local/events/'],
  ['api-gateway', '^local/api-gateway/'],
  ['lambda', '^local/lambda/'],
  ['cloud', '^local/cloud/'],
  ['index', '^local/index[.]ts$'],
];

const CDK = 'node_modules/(aws-cdk-lib|constructs)/';

/** Modules by which a file could read, write, start processes or reach the network. */
const INPUT_AND_OUTPUT =
  '^(node:)?(fs|fs/promises|os|child_process|worker_threads|http|https|net|dns|stream|process)$';

function layerRules(side, layers) {
  const prefix = side.replace('/', '-');
  const order = layers.map(([name]) => name).join(' <- ');
  const paths = layers.map(([, path]) => path);
  const upward = layers.slice(0, -1).map(([name, path], index) => ({
    name: `${prefix}-${name}-uses-no-later-layer`,
    comment: `In ${side}/, imports point one way: ${order}.`,
    severity: 'error',
    from: { path },
    to: { path: paths.slice(index + 1) },
  }));
  const unplaced = { path: `^${side}/`, pathNot: paths };
  const comment = `A file of ${side}/ belongs in the folder of its layer.`;
  return [
    ...upward,
    { name: `${prefix}-files-have-a-layer`, comment, severity: 'error', from: unplaced, to: {} },
    { name: `${prefix}-imports-have-a-layer`, comment, severity: 'error', from: {}, to: unplaced },
  ];
}

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...layerRules('lib', LIB_LAYERS),
    ...layerRules('lib/plan', PLAN_LAYERS),
    ...layerRules('lambda', LAMBDA_LAYERS),
    ...layerRules('local', LOCAL_LAYERS),
    {
      name: 'contract-imports-nothing',
      comment: 'Every side imports the contract, so whatever the contract imported, every side would.',
      severity: 'error',
      from: { path: '^contract/' },
      to: { pathNot: '^contract/' },
    },
    {
      name: 'emit-knows-plans-by-type-only',
      comment: 'Emitting decides nothing: emit/ takes plans and wirings as data.',
      severity: 'error',
      from: { path: '^lib/emit/' },
      to: { path: '^lib/(dataflow|plan)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'planning-is-pure',
      comment:
        'Planning computes on data: it touches no file, process or cache, and never asks ONNX Runtime.',
      severity: 'error',
      from: { path: '^lib/(dataflow|compute-time|cost|plan)/' },
      to: {
        path: [
          '^lib/(host|cache|optimize)/',
          '^lib/shapes/(?!value-types[.]ts$)',
          '^lib/onnx/(parse|parse-context|wire|check-file|external-data|write-chunks)[.]ts$',
          INPUT_AND_OUTPUT,
        ],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'lib-stands-alone',
      comment: 'The synth side shares the contract with the run side, and nothing else.',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^(lambda|client|local|bin|examples|bench|test)/' },
    },
    {
      name: 'lambda-stands-alone',
      comment: 'The code of a slice function is small and knows nothing of synth.',
      severity: 'error',
      from: { path: '^lambda/' },
      to: { path: ['^(lib|client|local|bin|examples|bench|test)/', CDK] },
    },
    {
      name: 'client-stays-light',
      comment:
        'Applications bundle the client: of the functions it shares the codecs, and of the rest nothing.',
      severity: 'error',
      from: { path: '^client/' },
      to: {
        pathNot: [
          '^(client|contract|lambda/(tensors|request))/|^lambda/json-values[.]ts$|^(node:)?(crypto|events|module|net|path|stream|url)$',
          // Only as types: the files of the next rule load it.
          'node_modules/@aws-sdk/',
        ],
      },
    },
    {
      name: 'client-loads-the-sdk-late',
      comment: 'An application that uses only the codecs loads no SDK, and one that has its own uses that.',
      severity: 'error',
      from: { path: '^client/', pathNot: '^client/aws/(sdk|bundled-sdk)[.]ts$' },
      to: {
        path: ['node_modules/@aws-sdk/', '^client/aws/bundled-sdk[.]ts$'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'codecs-stay-light',
      comment: 'Applications bundle these folders with the client: they use neither S3 nor ONNX Runtime.',
      severity: 'error',
      from: { path: '^lambda/(tensors|request/inline-tensor|request/json-fields)' },
      // Node.js computes checksums in zlib.
      to: { pathNot: '^(contract|lambda/(tensors|request))/|^lambda/(errors|json-values)[.]ts$|^zlib$' },
    },
    {
      name: 'cdk-in-constructs-only',
      comment: 'The compiler works without CDK, because the command line uses it too.',
      severity: 'error',
      from: { path: '^(lib|local|bin)/', pathNot: '^lib/(aws|pipeline|monitoring|index)' },
      to: { path: CDK },
    },
    {
      name: 'tools-need-no-constructs',
      comment: 'The command line and the local cloud run without CDK.',
      severity: 'error',
      from: { path: '^(local|bin)/' },
      to: { path: '^lib/(aws|pipeline|monitoring|index)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'tools-stand-on-top',
      comment: 'Only examples, tests, benchmarks and scripts use local/ and bin/; bin/ may use local/.',
      severity: 'error',
      from: { pathNot: '^(examples|test|bench|scripts|local|bin)/' },
      to: { path: '^(local|bin)/' },
    },
    {
      name: 'page-runs-in-browsers',
      comment:
        'The page of a plan is a program of its own: it knows the report by type, and needs no Node.js.',
      severity: 'error',
      from: { path: '^bin/plan/page/' },
      to: {
        pathNot: ['^bin/plan/(page/|figures[.]ts$|plan-report[.]ts$)', 'node_modules/(echarts|zrender)/'],
      },
    },
    {
      name: 'figures-are-pure',
      comment: 'The page and the terminal format numbers with the same code.',
      severity: 'error',
      from: { path: '^bin/plan/(figures|plan-report)[.]ts$' },
      to: { pathNot: '^contract/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'local-without-command-line',
      comment: 'The local cloud is a library; the command line is one of its users.',
      severity: 'error',
      from: { path: '^local/' },
      to: { path: '^(bin|examples|bench|test)/' },
    },
    {
      name: 'bench-measures-the-library',
      comment: 'Benchmarks start the command line as a process and share no code with it or with tests.',
      severity: 'error',
      from: { path: '^bench/' },
      to: { path: '^(bin|test)/' },
    },
    {
      name: 'examples-are-leaves',
      comment: 'Examples show how to use the library; nothing else may need them.',
      severity: 'error',
      from: { pathNot: '^(examples|test|bench|scripts)/' },
      to: { path: '^(examples|test|bench|scripts)/' },
    },
    {
      name: 'examples-use-the-package',
      comment: "A user can copy an example's folder, because it imports this package by name only.",
      severity: 'error',
      // The demo of OCR prints the table of timings of the command line.
      from: { path: '^examples/([^/]+)/', pathNot: '^examples/ocr/demo[.]ts$' },
      to: { pathNot: ['^examples/$1/', 'node_modules/'], dependencyTypesNot: ['aliased', 'core'] },
    },
    {
      name: 'no-cycles',
      comment: 'The files of a cycle cannot be read, tested or moved one by one.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'library-needs-no-dev-dependency',
      comment: 'The library ships as modules. Everything else is bundled with the packages that it uses.',
      severity: 'error',
      from: { path: '^(contract|lib)/' },
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
