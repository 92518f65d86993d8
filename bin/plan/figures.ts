/** Writes numbers of the report for people, as `lib/cost/alternatives/wording.ts` does in the sentences of the report. */
import * as wording from '../../lib/cost/alternatives/wording';
import { unicodeEscape } from '../terminal/escape';
import type { Ends, ServiceRun, Temperature } from './plan-report';

export * from '../../lib/cost/alternatives/wording';

/** A number of the report, or a text. */
export type Figure = string | Quantity;

export interface Quantity {
  readonly kind: QuantityKind;
  readonly value: number;
  /** Of a figure that rests on believed or fitted constants. */
  readonly ends?: Ends<number>;
}

export type QuantityKind = keyof typeof FORMATS;

/** Units of milliseconds: a batch may take days. */
const DURATION_UNITS: readonly wording.Unit[] = [
  { name: 'h', size: 3_600_000 },
  { name: 'min', size: 60_000 },
  { name: 's', size: 1_000 },
];

const FORMATS = {
  count: (value: number) => wording.grouped(value),
  bytes: wording.inBytes,
  megabytes: wording.inMb,
  milliseconds: wording.inMs,
  duration: (value: number) => wording.withUnit(value, DURATION_UNITS),
  seconds: (value: number) => wording.inMs(value * 1_000),
  dollars: wording.inDollars,
};

export const TEMPERATURES: readonly Temperature[] = ['warm', 'mixed', 'cold'];

/** Costs that no service's price has. */
export const NOT_PRICED =
  'No price includes a VPC (NAT gateways, interface endpoints), traces, metrics, alarms or free tiers.';

/** Nobody's advice: what readers ask for. */
export const OUTSIDE_AWS =
  'Outside AWS, and not compared: Google Cloud Run, Azure Container Apps, Cloudflare Containers, Modal, Replicate, RunPod, Hugging Face Inference Endpoints.';

/** Stands for a number that the report does not have. */
export const NONE = '–';

/** A quantity, or `NONE`. */
export function quantity(kind: QuantityKind, value: number | null | undefined, ends?: Ends<number>): Figure {
  return value === null || value === undefined ? NONE : { kind, value, ...(ends && { ends }) };
}

export function figureText(figure: Figure): string {
  if (typeof figure === 'string') return visible(figure);
  const format = FORMATS[figure.kind];
  const own = format(figure.value);
  const [least, most] = figure.ends ? [figure.ends.fast, figure.ends.slow].map(format) : [own, own];
  if (least === own && most === own) return own;
  const unit = /\s\S+$/.exec(most)?.[0] ?? '';
  return `${own} (${unit !== '' && least.endsWith(unit) ? least.slice(0, -unit.length) : least} to ${most})`;
}

/** The price or a time of a run, with its ends. */
export function runFigure(run: ServiceRun | undefined, name: 'dollarsPerMillion' | 'p50' | 'p95'): Figure {
  const { fast, slow } = { fast: run?.ends?.fast[name], slow: run?.ends?.slow[name] };
  const ends = fast === undefined || slow === undefined ? undefined : { fast, slow };
  return quantity(name === 'dollarsPerMillion' ? 'dollars' : 'milliseconds', run?.[name], ends);
}

/** A quantity in words, or `NONE`. */
export function quantityText(kind: QuantityKind, value: number | null | undefined): string {
  return figureText(quantity(kind, value));
}

/** Names come from models: shows characters that are invisible or turn the direction of text. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, unicodeEscape);
}
