// The directions of imports, by folder. Types count as much as values: they too tie one part to another.

/** The folders of each side from the bottom up: a folder may import from earlier ones, never from later ones. */
const LAYERS = {
  lib: 'host cache onnx optimize shapes dataflow compute-time cost split plan emit compile aws pipeline batch monitoring',
  'lib/plan': 'file wiring sizes cuts schedule pricing search slicers choose',
  lambda: 'tensors telemetry store request slice tensor-flow batch',
  local: 'http iam simulation faults s3 cloudformation step-functions api-gateway lambda cloud',
};

const CDK = 'node_modules/(aws-cdk-lib|constructs)/';
const AWS_SDK = 'node_modules/@aws-sdk/';
const CONSTRUCTS = '^lib/(aws|pipeline|batch|monitoring)/';
const OUTER = 'local|bin|examples|bench|test|scripts';
const NOT_TYPES = { dependencyTypesNot: ['type-only'] };

const layers = Object.entries(LAYERS).flatMap(([side, names]) =>
  names.split(' ').map((name, index, all) => {
    const later = all.slice(index + 1).map((other) => `^${side}/${other}/`);
    return rule(
      `${side}/${name} uses no later folder`,
      { path: `^${side}/${name}/` },
      { path: ['^$', ...later] },
    );
  }),
);

function rule(name, from, to) {
  return { name: name.replaceAll(/[ /]/g, '-'), severity: 'error', from, to };
}

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...layers,
    rule('contract imports nothing', { path: '^contract/' }, { pathNot: '^contract/' }),
    rule('lib stands alone', { path: '^lib/' }, { path: `^(lambda|client|${OUTER})/` }),
    rule('lambda stands alone', { path: '^lambda/' }, { path: [`^(lib|client|${OUTER})/`, CDK] }),
    // Applications bundle the client: of the functions it shares the codecs, and it loads the SDK late.
    rule(
      'client stays light',
      { path: '^client/' },
      { path: [`^(lib|${OUTER})/`, '^lambda/(telemetry|store|slice|tensor-flow)/', CDK] },
    ),
    rule('client loads the sdk late', { path: '^client/(?!aws/)' }, { path: AWS_SDK, ...NOT_TYPES }),
    rule('codecs stay light', { path: '^lambda/tensors/' }, { path: [AWS_SDK, 'node_modules/onnxruntime'] }),
    // Planning computes on data: it touches no file, process or cache, and never asks ONNX Runtime.
    rule(
      'planning is pure',
      { path: '^lib/(dataflow|compute-time|cost|plan)/' },
      {
        path: ['^lib/(host|cache|optimize)/', '^(node:)?(fs|os|child_process|worker_threads|http|net)'],
        ...NOT_TYPES,
      },
    ),
    rule('emit knows plans by type', { path: '^lib/emit/' }, { path: '^lib/(dataflow|plan)/', ...NOT_TYPES }),
    // The compiler, the command line and the local cloud work without CDK.
    rule('cdk in constructs only', { path: '^(lib|local|bin)/', pathNot: CONSTRUCTS }, { path: CDK }),
    rule('tools need no constructs', { path: '^(local|bin)/' }, { path: CONSTRUCTS, ...NOT_TYPES }),
    rule('local without command line', { path: '^local/' }, { path: '^(bin|examples|bench|test|scripts)/' }),
    rule('bench measures the library', { path: '^bench/' }, { path: '^(bin|test)/' }),
    // A user can copy an example's folder, because it imports this package by name only.
    rule(
      'examples use the package',
      { path: '^examples/([^/]+)/' },
      { pathNot: ['^examples/$1/', 'node_modules/'], dependencyTypesNot: ['aliased', 'core'] },
    ),
    rule('no cycles', {}, { circular: true }),
    // The library ships as modules. Everything else is bundled with the packages that it uses.
    rule(
      'library needs no dev dependency',
      { path: '^(contract|lib)/' },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer', 'type-only'] },
    ),
    rule('nothing unresolved', {}, { couldNotResolve: true }),
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
