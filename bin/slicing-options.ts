/** The flags that say how a model is cut, the same for every command. */
import bytes from 'bytes';
import { Command, InvalidArgumentError, Option } from 'commander';
import { SlicedInferenceError } from '../lib/errors';
import type { Slicer } from '../lib/plan/slicers';
import { atTensors, automatic, count, fromPlan, maxSliceSize } from '../lib/plan/slicers';
import type { DimensionSizes } from '../lib/shapes/value-types';

export interface SlicingOptions {
  readonly slices?: number;
  readonly maxSliceSize?: number;
  readonly atTensors?: readonly string[];
  readonly slicingPlan?: string;
  readonly maxMemory?: number;
  readonly dimension: DimensionSizes;
}

/** Flags that exclude one another. Without one, the fewest slices that fit `--max-memory` are made. */
const CHOICES = ['slices', 'maxSliceSize', 'atTensors', 'slicingPlan', 'maxMemory'] as const;

export function addSlicingOptions(command: Command): Command {
  return addDimensionOption(command)
    .addOption(new Option('--slices <n>', 'cut into this many slices').argParser(wholeNumber))
    .addOption(
      new Option(
        '--max-slice-size <size>',
        'most weights in a slice, such as 64MB (MB = 2^20 bytes)',
      ).argParser(size),
    )
    .option('--at-tensors <name...>', 'cut after each of these tensors')
    .option('--slicing-plan <file>', 'cut as an earlier plan.json of the same graph does')
    .addOption(
      new Option(
        '--max-memory <mb>',
        'fewest slices whose functions fit this memory (the default: 3008)',
      ).argParser(wholeNumber),
    );
}

export function addDimensionOption(command: Command): Command {
  return command.addOption(
    new Option('--dimension <name=size>', 'size to assume for a symbolic dimension; repeatable')
      .argParser(dimension)
      .default({}, 'each 1'),
  );
}

export function slicerFor(options: SlicingOptions): Slicer {
  const given = CHOICES.filter((choice) => options[choice] !== undefined);
  if (given.length > 1) {
    const flags = given.map(
      (choice) => `--${choice.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    );
    throw new SlicedInferenceError(
      'the slicing must be given by one flag',
      flags.join(' and '),
      'leave all but one out',
    );
  }
  if (options.slices !== undefined) return count(options.slices);
  if (options.maxSliceSize !== undefined) return maxSliceSize(options.maxSliceSize);
  if (options.atTensors !== undefined) return atTensors(options.atTensors);
  if (options.slicingPlan !== undefined) return fromPlan(options.slicingPlan);
  return automatic(options.maxMemory);
}

export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('it must be a whole number.');
  return Number(text);
}

function size(text: string): number {
  const parsed = bytes.parse(text);
  if (parsed === null || !/\d/.test(text)) throw new InvalidArgumentError('it must be a size such as 64MB.');
  return parsed;
}

function dimension(text: string, previous: DimensionSizes): DimensionSizes {
  const split = /^(.+)=(\d+)$/.exec(text);
  if (split === null) throw new InvalidArgumentError('it must be a name and a size such as batch=1.');
  return { ...previous, [split[1]]: Number(split[2]) };
}
