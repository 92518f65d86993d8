/** One Lambda function from a container image that holds the weights. Lambda loads the image block by block. */
import { initMs, MIB } from '../formulas/lambda';
import { GIB } from '../formulas/s3';
import { LatencyDistribution } from '../latency/latency-distribution';
import type { Alternative, AlternativeSetting, WholeModel } from './alternative';
import { wholeFunction } from './whole-function';
import { inMb } from './wording';

/** MB of an image without the weights: Lambda's base image for Node.js, ONNX Runtime and the handler. Believed. */
export const BARE_IMAGE_MB = 250;

export function containerImage(model: WholeModel, setting: AlternativeSetting): Alternative {
  const { prices, environment, architecture } = setting.options;
  const image = initMs(architecture, 'image', environment);
  return wholeFunction(model, setting, {
    id: 'container-image',
    name: 'one Lambda function in a container image',
    notes: [
      'the image must be built and pushed with Docker',
      'how fast a new sandbox reads its image is a guess',
    ],
    guess: 'how fast it reads its image is a guess',
    tmpBytes: 0,
    breaks: imageBreaks(model, setting),
    start: (load) => {
      const readMs = (model.fileBytes / MIB / environment.lambda.imageReads) * 1000;
      const billedMs = image + readMs + load.sessionMs;
      return {
        ms: load.placementMs + billedMs,
        billedMs,
        random: LatencyDistribution.constant(0),
        requestDollars: 0,
      };
    },
    standingDollars: () => (imageMb(model) / 1024) * prices.ecr.storage,
  });
}

export function imageMb({ fileBytes }: WholeModel): number {
  return fileBytes / MIB + BARE_IMAGE_MB;
}

export function imageBreaks(model: WholeModel, { options }: AlternativeSetting): string[] {
  const most = options.environment.lambda.maxImageMb;
  const needed = imageMb(model);
  if (needed <= most) return [];
  return [
    `the image has ${inMb(needed)} (${inMb(model.fileBytes / MIB)} of weights), and Lambda allows ${inMb(most)}`,
  ];
}

/** The size of what ECR bills. */
export function imageGb(model: WholeModel): number {
  return (imageMb(model) * MIB) / GIB;
}
