/** Writes numbers of the report for people, as `lib/cost/alternatives/wording.ts` does in the sentences of the report. */
import { grouped, inBytes, inDollars, inMb, inMs } from '../../lib/cost/alternatives/wording';
import type { Temperature } from './plan-report';

export * from '../../lib/cost/alternatives/wording';

/** A number of the report, or a text. */
export type Figure = string | Quantity;

export interface Quantity {
  readonly kind: QuantityKind;
  readonly value: number;
}

export type QuantityKind = keyof typeof FORMATS;

const FORMATS = {
  count: (value: number) => grouped(value),
  bytes: inBytes,
  megabytes: inMb,
  milliseconds: inMs,
  seconds: (value: number) => inMs(value * 1_000),
  dollars: inDollars,
};

export function quantity(kind: QuantityKind, value: number): Quantity {
  return { kind, value };
}

export const TEMPERATURES: readonly Temperature[] = ['warm', 'mixed', 'cold'];

/** Costs that no service's price has. */
export const NOT_PRICED =
  'No price includes a VPC (NAT gateways, interface endpoints), traces, metrics, alarms or free tiers.';

/** Stands for a number that the report does not have. */
export const NONE = '–';

/** A quantity, or `NONE`. */
export function maybe(kind: QuantityKind, value: number | null | undefined): Figure {
  return value === null || value === undefined ? NONE : { kind, value };
}

export function figureText(figure: Figure): string {
  return typeof figure === 'string' ? visible(figure) : FORMATS[figure.kind](figure.value);
}

/** A quantity in words, or `NONE`. */
export function quantityText(kind: QuantityKind, value: number | null | undefined): string {
  return figureText(maybe(kind, value));
}

/** Names come from models: shows characters that are invisible or turn the direction of text. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
