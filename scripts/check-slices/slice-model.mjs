/** Cuts a model into several numbers of slices. */
import { createRequire } from 'node:module';
import * as path from 'node:path';

const require = createRequire(import.meta.url);
const { analyzeModel } = require('../../dist/lib/compile/analyze.js');
const { compileAnalyzed } = require('../../dist/lib/compile/compile.js');
const { writeSlices } = require('../../dist/lib/emit/write.js');
const { mostSlices } = require('../../dist/lib/plan/cuts/cuts.js');
const { count } = require('../../dist/lib/plan/slicers/index.js');

/**
 * @param counts numbers of slices; those that the model does not allow are left out
 * @param limit the most slices of the additional cut into as many slices as possible
 * @returns the path of each slice
 */
export function sliceModel(model, folder, { counts, limit, optimization }) {
  const analyzed = analyzeModel(model, { optimization });
  const most = mostSlices(analyzed.cuts);
  const numbers = new Set([...counts.filter((slices) => slices <= most), Math.min(most, limit)]);
  return [...numbers].flatMap((slices) => {
    const out = path.join(folder, `of-${slices}`);
    const plan = writeSlices(compileAnalyzed(analyzed, count(slices)), out);
    return plan.slices.map(({ model: { file } }) => path.join(out, file));
  });
}
