/** Selects the test files of `npm test` or, with `FULL_CHECKS`, of `npm run check:all`. Jest runs all that match without it. */
const { isLeftOut, isLong } = require('./long-checks.cjs');

module.exports = (files) => ({
  filtered: files.filter((file) => (process.env.FULL_CHECKS === undefined ? !isLeftOut(file) : isLong(file))),
});
