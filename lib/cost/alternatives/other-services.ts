/** What else a platform engineer asks for. A service whose price or time rests on a guess says so, and is never called cheapest. */
import { durationRate } from '../formulas/lambda';
import {
  type AlternativeSetting,
  type AlternativeSize,
  type Service,
  type WholeModel,
  HOURS_PER_MONTH,
} from './alternative';
import { type Host, alwaysOn } from './always-on';
import { lambdaFunction } from './lambda-function';
import { inMb } from './wording';

export function otherServices(model: WholeModel, setting: AlternativeSetting): Service[] {
  const parts = [inImages, microVms, managedInstances, sageMaker];
  return parts.flatMap((services) => services(model, setting));
}

/** LambdaNER-Bench, 2026-09, 1,769 MB: p50 for the caller of images of two sizes, of which 27 MB are not the model. */
const IMAGE_MB = [92, 292] as const;
const IMAGE_START_MS = [425, 898] as const;
const IMAGE_RUNTIME_MB = 27;
/** The middle of the medians of the same benchmark, 0.44 and 0.74 s. */
const RESTORE_MS = 590;

const MEASURED = 'measured by LambdaNER-Bench in 2026-09 with Rust on arm64, at 1,769 MB';

/** Along the line through both. */
function startMs({ fileBytes }: WholeModel): number {
  const perMb = (IMAGE_START_MS[1] - IMAGE_START_MS[0]) / (IMAGE_MB[1] - IMAGE_MB[0]);
  return IMAGE_START_MS[0] + perMb * (fileBytes / 1e6 + IMAGE_RUNTIME_MB - IMAGE_MB[0]);
}

/** One function whose weights are in its container image. */
function inImages(model: WholeModel, setting: AlternativeSetting): Service[] {
  const { prices, architecture } = setting.options;
  const { snapStartRestore, snapStartCache } = prices.lambda;
  const imageMs = startMs(model);
  const { sizes } = lambdaFunction(model, setting);
  /** @param startDollars of a function of so many MB @param monthDollars the same, besides its runs */
  const starting = (
    ms: number,
    startDollars: (memoryMb: number) => number,
    monthDollars: (memoryMb: number) => number,
  ): AlternativeSize[] =>
    sizes.map((size) => {
      const { memoryMb = 0, warm } = size;
      const [own, start] = [warm.dollars ?? 0, startDollars(memoryMb)];
      return {
        ...size,
        cold: { dollars: own + start, time: warm.time.shift(ms) },
        dollarsPerMonth: (rate, share) =>
          HOURS_PER_MONTH * rate * (own + share * start) + monthDollars(memoryMb),
      };
    });
  return [
    {
      ...{ id: 'image', name: 'a container image' },
      guess: `starts of images of 92 to 292 MB were ${MEASURED}; other sizes and Node.js are a guess`,
      notes: [
        'an image has up to 10 GB; its first start after a deployment takes 4 to 32 s; its storage is not priced',
      ],
      sizes: starting(
        imageMs,
        (memoryMb) => imageMs * durationRate(memoryMb, architecture, prices),
        () => 0,
      ),
    },
    {
      ...{ id: 'snap-start', name: 'a container image with SnapStart' },
      guess: `restores of 0.44 to 0.74 s were ${MEASURED}; how long the first run waits for its memory is unknown`,
      notes: ['a price of each version by the month, and of each restore, by memory; at most 512 MB of /tmp'],
      sizes: starting(
        RESTORE_MS,
        (memoryMb) => (memoryMb / 1024) * snapStartRestore,
        (memoryMb) => HOURS_PER_MONTH * 3600 * (memoryMb / 1024) * snapStartCache,
      ),
    },
  ];
}

/** Baselines in GB, of which each has half as many vCPUs. */
const MICRO_VMS_GB = [0.5, 1, 2, 4, 8];

function microVms(model: WholeModel, setting: AlternativeSetting): Service[] {
  const { vcpu, memory } = setting.options.prices.microVms;
  const hosts = MICRO_VMS_GB.map((gb): Host => {
    const dollarsPerHour = (gb / 2) * vcpu + gb * memory;
    return { noun: 'machine', vcpus: gb / 2, memoryMb: gb * 1024, dollarsPerHour };
  });
  return [
    {
      ...{ id: 'microvms', name: 'Lambda MicroVMs' },
      guess: 'that one machine is always on, at its baseline, is a guess: your code starts and suspends it',
      notes: [
        'arm64 only, here with the times of the planned architecture; a machine ends after 8 hours; a third party measured in 2026 a start of 3.5 s and a resume of 0.7 s (p50); what is suspended is not priced',
      ],
      sizes: alwaysOn(model, setting, hosts),
    },
  ];
}

const MANAGED_FEE = 1.15;

function managedInstances(model: WholeModel, setting: AlternativeSetting): Service[] {
  const { lambda, instances } = setting.options.prices;
  const perRequest = lambda.requests / 1e6;
  // Instances of twice the size cost twice as much. A function has up to 32 GB.
  const hosts = [1, 2, 4].map((times): Host => {
    const dollarsPerHour = times * instances.general * MANAGED_FEE;
    return {
      noun: 'instance',
      vcpus: 2 * times,
      memoryMb: 8192 * times,
      dollarsPerHour,
      least: 3,
      perRequest,
    };
  });
  const dollarsPerHour = instances.gpu * MANAGED_FEE;
  const gpu: Host = { noun: 'GPU instance', vcpus: 4, memoryMb: 16_384, dollarsPerHour, perRequest };
  return [
    {
      ...{ id: 'managed-instances', name: 'Managed Instances' },
      guess:
        "a third party's list price of m7g, of 2026-06, and 15 % are a guess, and so is its time, that of vCPUs of Lambda",
      notes: ['three instances are on by default; a function has up to 32 GB'],
      sizes: alwaysOn(model, setting, hosts),
    },
    {
      ...{ id: 'gpu-instances', name: 'Managed Instances with a GPU' },
      guess: 'its time is that of 4 vCPUs: what the GPU gains, and how many instances are on, is unknown',
      notes: ['x86_64 images only; they can scale to zero, and then take minutes to resume'],
      sizes: alwaysOn(model, setting, [gpu]),
    },
  ];
}

const MOST_SERVERLESS_MB = 6144;
const MOST_SERVERLESS_BYTES = 4 * 2 ** 20;
const MOST_SERVERLESS_MS = 60_000;

function serverlessBreaks({ requestBytes, responseBytes }: WholeModel, warmMs: number): string[] {
  return [
    ...(Math.max(requestBytes, responseBytes) > MOST_SERVERLESS_BYTES ? ['its payload may have 4 MB'] : []),
    ...(warmMs > MOST_SERVERLESS_MS ? ['its calls may take 60 s'] : []),
  ];
}

function sageMaker(model: WholeModel, setting: AlternativeSetting): Service[] {
  const { prices, environment } = setting.options;
  const { serverlessGbSecond, asynchronousHour } = prices.sageMaker;
  const memoryMb = Math.min(MOST_SERVERLESS_MB, 1024 * Math.ceil(model.peakMemoryMb / 1024));
  const vcpus = memoryMb / environment.lambda.mbPerVcpu;
  const [{ warm, breaks }] = alwaysOn(model, setting, [
    { noun: 'endpoint', vcpus, memoryMb, dollarsPerHour: 0 },
  ]);
  const perMs = ((memoryMb / 1024) * serverlessGbSecond) / 1000;
  const dollars = warm.time.mean * perMs;
  const serverless: AlternativeSize = {
    nameAt: () => inMb(memoryMb),
    breaks: [...breaks, ...serverlessBreaks(model, warm.time.quantile(0.5))],
    warm: { ...warm, dollars },
    cold: { dollars: dollars + startMs(model) * perMs, time: warm.time.shift(startMs(model)) },
    dollarsPerMonth: (rate, share) => HOURS_PER_MONTH * rate * (dollars + share * startMs(model) * perMs),
  };
  const instance: Host = {
    ...{ noun: 'instance', vcpus: 2, memoryMb: 8192 },
    dollarsPerHour: asynchronousHour,
  };
  return [
    {
      ...{ id: 'sagemaker-serverless', name: 'SageMaker Serverless' },
      guess: 'its processors and its start are a guess: those of a Lambda function in a container image',
      notes: ['1 to 6 GB of memory, 4 MB of payload and 60 s; bytes in and out are not priced'],
      sizes: [serverless],
    },
    {
      ...{ id: 'sagemaker-asynchronous', name: 'SageMaker Asynchronous' },
      guess:
        'that one ml.m5.large is always on is a guess: it can scale to zero, and then takes minutes to start',
      notes: ['answers are objects in S3; the wait in its queue is unknown, and is not in its time'],
      sizes: alwaysOn(model, setting, [instance]),
    },
  ];
}
