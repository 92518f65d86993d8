/** Runs a whole model for the library, in a process of its own, and answers which sizes its tensors had. */
import type { SizesJob } from '../../lib/shapes/data-sizes';
import { answerJob } from '../onnx-jobs/answer';
import { measureSizes } from './measure-sizes';

void answerJob((job, sessions) => measureSizes(job as SizesJob, sessions));
