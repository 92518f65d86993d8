/** Selects the test files of `npm test` or, with `FULL_CHECKS`, of a group of `npm run check:all`. Jest runs all that match without it. */
const { isIn, isLeftOut } = require('./long-checks.cjs');

const { FULL_CHECKS: group } = process.env;

module.exports = (files) => ({
  filtered: files.filter((file) => (group === undefined ? !isLeftOut(file) : isIn(group, file))),
});
