/** The flags of two plans in one command: those after `--with` are laid over those before it. */
import { Command } from 'commander';
import { quoted, SlicedInferenceError } from '../../../lib/errors';
import { SEARCH_FLAGS } from '../../commands/search-options';
import { SLICING_CHOICES, flagOf } from '../../commands/slicing-options';
import { type Unit, BYTE_UNITS, TIME_UNITS } from '../figures';
import type { PlanOptions } from '../report/assemble-report';

const WITH = '--with';

/** Hides what follows `--with` from the parser, which would let the second plan's flags replace those of the first one. */
export class TwoPlansCommand extends Command {
  secondFlags?: readonly string[];

  override parseOptions(args: string[]): ReturnType<Command['parseOptions']> {
    const at = args.indexOf(WITH);
    if (at < 0) return super.parseOptions(args);
    this.secondFlags = args.slice(at + 1).filter((arg) => arg !== '--json');
    return super.parseOptions(args.filter((arg, index) => index < at || arg === '--json'));
  }
}

type GivenOptions = Partial<PlanOptions>;

/** The options that the user set, without defaults. @param parser has these options, and no others */
export function givenOptions(command: Command, parser = command): GivenOptions {
  const names = new Set(parser.options.map((option) => option.attributeName()));
  const isGiven = ([name]: [string, unknown]): boolean =>
    names.has(name) && command.getOptionValueSource(name) === 'cli';
  return Object.fromEntries(Object.entries(command.opts()).filter(isGiven));
}

/** @param parser has the flags that describe a plan, and no others */
export function parseSecondFlags(flags: readonly string[], parser: Command): GivenOptions {
  const { operands, unknown } = parser.parseOptions([...flags]);
  const other = [...unknown, ...operands].at(0);
  if (flags.length > 0 && other === undefined) return givenOptions(parser);
  throw new SlicedInferenceError(
    `${WITH} must be followed by flags that describe the second plan`,
    other === undefined ? 'nothing' : quoted(other),
    `put other flags before ${WITH}, such as --compare with a second model`,
  );
}

/** A way to cut replaces the first plan's way to cut. Sizes of dimensions and splits are replaced one by one. */
export function overlaid<T extends GivenOptions>(first: T, second: GivenOptions): T {
  const isGiven = (name: keyof PlanOptions): boolean => second[name] !== undefined;
  const ofSearch = SEARCH_FLAGS.some(isGiven) ? SLICING_CHOICES : [];
  const replaced: readonly string[] = SLICING_CHOICES.some(isGiven)
    ? [...SLICING_CHOICES, ...SEARCH_FLAGS]
    : ofSearch;
  const kept = Object.entries(first).filter(([name]) => !replaced.includes(name));
  return {
    ...(Object.fromEntries(kept) as unknown as T),
    ...second,
    dimension: { ...first.dimension, ...second.dimension },
    // A plan file has its own splits.
    split: { ...(second.slicingPlan === undefined && first.split), ...second.split },
  };
}

/** Of quantities that have a unit in flags. */
const UNITS: Readonly<Record<string, readonly Unit[] | undefined>> = {
  maxSliceSize: BYTE_UNITS,
  maxLatency: TIME_UNITS,
};

type Given = Exclude<GivenOptions[keyof GivenOptions], undefined>;

/** Options as a user writes them, such as `--slices 3`. @param without names of options that are left out */
export function writtenFlags(given: GivenOptions, without: readonly string[] = []): string[] {
  const entries = Object.entries<Given>(given).filter(([name]) => !without.includes(name));
  return entries.flatMap(([name, value]) => {
    const flag = flagOf(name);
    if (value === false) return [flag.replace('--', '--no-')];
    if (Array.isArray(value)) return [`${flag} ${value.join(',')}`];
    if (typeof value === 'object') return Object.entries(value).map((own) => `${flag} ${own.join('=')}`);
    // Exact, so that the flag says what is in effect: in the largest unit that divides the number.
    const unit = UNITS[name]?.find(({ size }) => size === 1 || Number(value) % size === 0);
    return [`${flag} ${unit ? `${Number(value) / unit.size}${unit.name}` : value}`];
  });
}
