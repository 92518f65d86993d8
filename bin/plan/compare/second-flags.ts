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

const DESCRIBE = '--with must be followed by flags that describe the second plan';

/** @param parser has the flags that describe a plan, and no others */
export function parseSecondFlags(flags: readonly string[], parser: Command): GivenOptions {
  const { operands, unknown } = parser.parseOptions(flags.filter((flag) => flag !== WITH));
  const misuses = [
    [flags.length === 0, 'nothing', 'add a flag, such as --slices 5, or leave --with out'],
    [flags.includes(WITH), 'a second --with', 'pass --with once'],
    [operands.length > 0, quoted(operands[0] ?? ''), 'pass the second model with --compare'],
    [
      unknown.length > 0,
      quoted(unknown[0] ?? ''),
      'check its name, and put flags such as --json before --with',
    ],
  ] as const;
  for (const [isMisused, got, advice] of misuses)
    if (isMisused) throw new SlicedInferenceError(DESCRIBE, got, advice);
  return givenOptions(parser);
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
