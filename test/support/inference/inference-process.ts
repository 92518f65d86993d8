/** Answers many questions to ONNX Runtime in one process, with the code of the library's child processes. */
import * as fs from 'node:fs';
import { measureSizes } from '../../../bin/data-sizes/measure-sizes';
import { Session } from '../../../lambda/slice/session';
import { saveOptimized, type OptimizeJob } from '../../../lib/optimize/optimize-child';
import { inferOutputTypes } from '../../../lib/shapes/infer-child';
import type { SizesJob } from '../../../lib/shapes/data-sizes';
import type { InferenceQuestion } from './persistent-inference';

async function answer({ script, argument }: InferenceQuestion): Promise<object> {
  switch (script) {
    case 'infer-child.js':
      return inferOutputTypes(argument);
    case 'optimize-child.js':
      return saveOptimized(JSON.parse(argument) as OptimizeJob);
    case 'sizes-job.js':
      return measureSizes(JSON.parse(fs.readFileSync(argument, 'utf8')) as SizesJob, Session).catch(
        (error: unknown) => ({ error: (error as Error).message }),
      );
  }
}

process.on('message', (question: InferenceQuestion) => {
  void answer(question).then((answered) => process.send?.(JSON.stringify(answered)));
});
process.on('disconnect', () => process.exit());
