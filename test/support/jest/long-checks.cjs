/** What `npm test` leaves to `npm run check:all`, which runs these test files alone, with `FULL_CHECKS`. */

/** Deployed examples, comparisons of two clouds, runs under faults and deployments, the fuzzer, and checks of the checks. */
const LEFT_OUT = [
  /\/end-to-end\/calls-during-deployments\.test/,
  /\/examples\/(callers|embeddings|mistakes|speech|stacks|vpc-kms)\.test/,
  /\/examples\/ocr\/(cloud|demo|pages)\.test/,
  /\/faults\/faults\.test/,
  /\/fuzz\/fuzz\.test/,
  /\/integ\/(compare|main|role)\.test/,
  /\/lib\/plan\/printed-plans\.test/,
  /\/test\/scripts\//,
];

/** `npm test` runs some of their cases: they ask `test/support/full-checks.ts`. */
const SHORTENED = [
  /\/end-to-end\/(consolidation|corpus|deployment|own-handlers|permissions|state-tensors)\.test/,
  /\/lib\/aws\/workflow\/failure\.test/,
  /\/lib\/compile\/(compile|stable-cuts)\.test/,
  /\/lib\/cost\/alternatives\/compare\.test/,
  /\/lib\/optimize\/optimize\.test/,
  /\/lib\/plan\/(best-cut|search\/label-setting|search\/partition)\.test/,
  /\/lib\/plan\/sizes\/(execution-order|run-memory|slice-sizes)\.test/,
];

const matches = (patterns) => (file) => patterns.some((pattern) => pattern.test(file));

exports.isLeftOut = matches(LEFT_OUT);
exports.isLong = matches([...LEFT_OUT, ...SHORTENED]);
