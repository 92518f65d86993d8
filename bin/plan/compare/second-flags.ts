/** The flags of two plans in one command: those after `--with` are laid over those before it. */
import { Command } from 'commander';
import { quoted, SlicedInferenceError } from '../../../lib/errors';
import { SEARCH_FLAGS } from '../../commands/search-options';
import { SLICING_CHOICES } from '../../commands/slicing-options';
import type { PlanOptions } from '../planned-model';

const WITH = '--with';

/** Hides what follows `--with` from the parser, which would let the second plan's flags replace those of the first one. */
export class TwoPlansCommand extends Command {
  secondFlags?: readonly string[];

  override parseOptions(args: string[]): ReturnType<Command['parseOptions']> {
    const at = args.indexOf(WITH);
    if (at < 0) return super.parseOptions(args);
    this.secondFlags = args.slice(at + 1);
    return super.parseOptions(args.slice(0, at));
  }
}

type GivenOptions = Partial<PlanOptions>;

/** The options that the user set, without defaults. */
export function givenOptions(command: Command): GivenOptions {
  const isGiven = ([name]: [string, unknown]): boolean => command.getOptionValueSource(name) === 'cli';
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
    `put flags such as --json before ${WITH}, and a second model after --compare`,
  );
}

/** A way to cut replaces the first plan's way to cut. Sizes of dimensions and splits are replaced one by one. */
export function overlaid(first: PlanOptions, second: GivenOptions): PlanOptions {
  const isGiven = (name: keyof PlanOptions): boolean => second[name] !== undefined;
  const ofSearch = SEARCH_FLAGS.some(isGiven) ? SLICING_CHOICES : [];
  const replaced: readonly string[] = SLICING_CHOICES.some(isGiven)
    ? [...SLICING_CHOICES, ...SEARCH_FLAGS]
    : ofSearch;
  const kept = Object.entries(first).filter(([name]) => !replaced.includes(name));
  return {
    ...(Object.fromEntries(kept) as unknown as PlanOptions),
    ...second,
    dimension: { ...first.dimension, ...second.dimension },
    // A plan file has its own splits.
    split: { ...(second.slicingPlan === undefined && first.split), ...second.split },
  };
}
