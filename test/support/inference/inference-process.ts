/** Does what the library starts processes for, but many times in one: asks ONNX Runtime. */
import { optimize } from '../../../lib/optimize/optimize-child';
import type { OptimizeJob } from '../../../lib/optimize/optimize-child';
import { infer } from '../../../lib/shapes/infer-child';
import type { InferenceQuestion } from './persistent-inference';

async function answer({ script, argument }: InferenceQuestion): Promise<object> {
  return script === 'infer-child.js' ? infer(argument) : optimize(JSON.parse(argument) as OptimizeJob);
}

process.on('message', (question: InferenceQuestion) => {
  void answer(question).then((answered) => process.send?.(JSON.stringify(answered)));
});
process.on('disconnect', () => process.exit());
