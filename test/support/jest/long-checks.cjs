/** What `npm test` leaves to `npm run check:all`, which runs one of these groups of test files alone, named by `FULL_CHECKS`. */

/** Comparisons of the compiler's phases with exhaustive search and ONNX Runtime. `npm test` runs some of their cases: see `full-checks.ts`. */
const COMPILER = [
  /\/lib\/compile\/(compile|stable-cuts)\.test/,
  /\/end-to-end\/split-kernels\.test/,
  /\/lib\/cost\/alternatives\.test/,
  /\/lib\/optimize\/optimize\.test/,
  /\/lib\/plan\/(best-cut|search\/partition)\.test/,
  /\/lib\/plan\/sizes\/(run-memory|slice-sizes)\.test/,
  /\/oracle\/best-plan\.test/,
];

/** Deployments into the local cloud, of which `npm test` runs some cases too. */
const DEPLOYMENTS = [
  /\/end-to-end\/(corpus|deployment)\.test/,
  /\/lib\/aws\/workflow\/failure\.test/,
  /\/bin\/commands\/calibrate\.test/,
];

/** Deployed examples, runs under faults, the fuzzer, and checks of the checks. */
const LEFT_OUT = {
  'batch-states': [/\/batch-states\/batch-states\.test/],
  compiler: [/\/docs\/planned-rows\.test/, /\/lib\/plan\/printed-plans\.test/],
  deploy: [/\/deploy\/deploy\.test/],
  deployments: [
    /\/end-to-end\/batch-faults\.test/,
    /\/lib\/pipeline\/validators\.test/,
    /\/faults\/faults\.test/,
    /\/step-functions\/map-run-memory\.test/,
  ],
  examples: [
    /\/examples\/(callers|embeddings|mistakes|stacks|vpc-kms)\.test/,
    /\/examples\/ocr\/cloud\.test/,
  ],
  fuzz: [/\/fuzz\/fuzz\.test/],
  scripts: [/\/test\/scripts\//],
};

const GROUPS = {
  ...LEFT_OUT,
  compiler: [...COMPILER, ...LEFT_OUT.compiler],
  deployments: [...DEPLOYMENTS, ...LEFT_OUT.deployments],
};

const matches = (patterns, file) => patterns.some((pattern) => pattern.test(file));

exports.isLeftOut = (file) => matches(Object.values(LEFT_OUT).flat(), file);
exports.isIn = (group, file) => matches(GROUPS[group], file);
