/** Synthesizes a stack with the slices of a folder. Its arguments are the folder of the assembly and that of the slices. */
import { SlicedModel, WarmUp } from '../../lib';
import { MAX_LAMBDA_MEMORY_MB } from '../../lib/plan/sizes/lambda-quotas';
import { pipelineAssembly } from '../runtime/assemblies';

if (require.main === module) {
  const [outdir, slices] = process.argv.slice(2);
  pipelineAssembly(outdir, {
    slicedModel: SlicedModel.fromDirectory(slices),
    warmUp: WarmUp.NEVER,
    // A slice that needs more than its plan says must be measured, not stopped.
    sliceFunctions: { memorySize: MAX_LAMBDA_MEMORY_MB },
  });
}
