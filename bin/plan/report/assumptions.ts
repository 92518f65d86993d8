/** Lists what the figures of a report rest on: the choices of the pipeline, and every constant of the model of cost. */
import type { ConstantTable, Pairs } from '../../../lib/cost/constants/constant';
import type { AnalyzedModel } from '../../../lib/compile/analyze';
import type { PlanLimits } from '../../../lib/compile/plan-estimates';
import { isDefault } from '../../../lib/cost/constants/constants-file';
import { type Environment, ENVIRONMENT, PRICES } from '../../../lib/cost/constants/defaults';
import type { DetailedCostModel } from '../../../lib/cost/model';
import { threeDigits } from '../../../lib/cost/alternatives/wording';
import type { Assumption, ReportedModel, Requests } from '../plan-report';

const RATE = 'random arrivals; about a third of the runs is cold at 10 an hour';
const COLD_SHARE = 'no run ended within the time for which Lambda keeps a function (lambda.keepAliveSeconds)';
const PIPELINE = 'setting of the pipeline';

export function assumptionsOf(
  { transport }: AnalyzedModel,
  { options, coldShare }: DetailedCostModel,
  { dimensions }: ReportedModel,
  { isAssumed }: Requests,
  { maxMemoryMb }: PlanLimits,
): Assumption[] {
  const pipeline = (name: string, value: string | number | boolean): Assumption =>
    choice(name, typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value), PIPELINE);
  const { spreads, ...environment } = options.environment;
  const place = (payload: 'inline' | 's3'): string => (payload === 's3' ? 'in S3' : 'in the payload');
  return [
    ...dimensions.map(({ name, size, isAssumed }) =>
      choice(
        `size of dimension ${name}`,
        String(size),
        isAssumed ? '--dimension sets it' : '--dimension',
        !isAssumed,
      ),
    ),
    choice('requests per hour of mixed runs', threeDigits(options.requestsPerHour), RATE, !isAssumed),
    choice('share of mixed runs that are cold', coldShare.toPrecision(3), COLD_SHARE, !isAssumed),
    ...(maxMemoryMb === undefined
      ? []
      : [{ ...choice('most memory of a function', String(maxMemoryMb), 'limit of the plan'), unit: 'MB' }]),
    pipeline('state machine', options.stateMachineType),
    pipeline('architecture', options.architecture),
    pipeline('later slices load while the first one runs', options.warmUp),
    pipeline('prepacking: functions rewrite weights for their kernels when they load', options.prepacking),
    pipeline('tensors between slices', transport),
    pipeline('small tensors between slices travel in the state', options.tensorsInState),
    pipeline('functions in a VPC', options.networkInVpc),
    pipeline('price of a VPC: NAT gateways, interface endpoints', 'none'),
    pipeline('tensors of a request', place(options.request)),
    pipeline('tensors of a result', place(options.result)),
    pipeline('days until tensors between slices expire', options.intermediateRetentionDays),
    pipeline('days until requests and results expire', options.outputRetentionDays),
    ...constantsOf('prices', PRICES, { ...options.prices }),
    ...constantsOf('environment', ENVIRONMENT, { ...environment }, spreads),
  ];
}

/** @param isGiven whether the user gave it; without it, a setting of the plan */
function choice(name: string, value: string, source: string, isGiven?: boolean): Assumption {
  const basis = isGiven === undefined ? 'setting' : isGiven ? 'given' : 'assumed';
  return { name, value, unit: '', source, date: '', basis };
}

/** The constants with the values that the model uses. */
function constantsOf(
  kind: 'prices' | 'environment',
  table: ConstantTable,
  used: Readonly<Record<string, Readonly<Record<string, number | Pairs>>>>,
  spreads: Environment['spreads'] = {},
): Assumption[] {
  return Object.entries(table).flatMap(([group, constants]) =>
    Object.entries(constants).map(([name, ours]): Assumption => {
      const { unit, source, date, known } = ours;
      const [value, spread] = [used[group][name], spreads[group]?.[name]];
      return {
        ...{ name: `${kind}: ${group}.${name}`, value: textOf(value), unit },
        ...(isDefault({ value, spread }, ours)
          ? { source, date, basis: known }
          : { source: `file of ${kind}`, date: '', basis: 'replaced' }),
      };
    }),
  );
}

function textOf(value: number | Pairs): string {
  if (typeof value !== 'number') return value.map(([at, own]) => `${own} at ${at}`).join(', ');
  return value.toLocaleString('en-US', { maximumFractionDigits: 20, useGrouping: false });
}
