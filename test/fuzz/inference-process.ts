/** Answers questions about types like `lib/shapes/infer-child.ts`, but many of them in one process. */
import { infer } from '../../lib/shapes/infer-child';

process.on('message', (modelPath: string) => {
  process.send?.(JSON.stringify(infer(modelPath)));
});
process.on('disconnect', () => process.exit());
