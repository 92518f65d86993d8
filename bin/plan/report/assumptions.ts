/** Lists what the figures of a report rest on: the choices of the pipeline, and every constant of the model of cost. */
import type { Constant, ConstantTable, Pairs } from '../../../lib/cost/constants/constant';
import { ENVIRONMENT } from '../../../lib/cost/constants/environment';
import { PRICES } from '../../../lib/cost/constants/prices';
import type { DetailedCostModel } from '../../../lib/cost/model';
import type { Assumption, ReportedModel } from '../plan-report';
import type { ReportRequest } from './report-request';

export function assumptionsOf(
  model: DetailedCostModel,
  { dimensions }: ReportedModel,
  request: ReportRequest,
): Assumption[] {
  const { prices, environment } = model.options;
  return [
    ...dimensions.map(({ name, size, isAssumed }) =>
      choice(
        `size of dimension ${name}`,
        String(size),
        '',
        isAssumed ? '--dimension sets it' : '--dimension',
        isAssumed,
      ),
    ),
    ...choicesOf(model, request),
    ...constantsOf('prices', PRICES, prices),
    ...constantsOf('environment', ENVIRONMENT, environment),
  ];
}

function choicesOf(
  { options, coldShare }: DetailedCostModel,
  { goal, maxMemoryMb }: ReportRequest,
): Assumption[] {
  const { stateMachineType, architecture, warmUp, networkInVpc, tls } = options;
  const { request, result, intermediateRetentionDays, requestsPerHour } = options;
  const isRateAssumed = goal.requestsPerHour === undefined;
  const yesOrNo = (value: boolean): string => (value ? 'yes' : 'no');
  const place = (payload: 'inline' | 's3'): string => (payload === 's3' ? 'in S3' : 'in the payload');
  return [
    choice('requests per hour of mixed runs', String(requestsPerHour), '', RATE, isRateAssumed),
    choice('share of mixed runs that are cold', coldShare.toPrecision(3), '', COLD_SHARE, isRateAssumed),
    ...(maxMemoryMb === undefined
      ? []
      : [choice('most memory of a function', String(maxMemoryMb), 'MB', 'limit of the plan', true)]),
    choice('state machine', stateMachineType, '', PIPELINE, true),
    choice('architecture', architecture, '', PIPELINE, true),
    choice('later slices load while the first one runs', yesOrNo(warmUp), '', PIPELINE, true),
    choice('functions in a VPC', yesOrNo(networkInVpc), '', PIPELINE, true),
    choice('TLS between functions and S3', yesOrNo(tls), '', PIPELINE, true),
    choice('tensors of a request', place(request), '', PIPELINE, true),
    choice('tensors of a result', place(result), '', PIPELINE, true),
    choice('days until tensors expire', String(intermediateRetentionDays), '', PIPELINE, true),
  ];
}

const RATE = 'random arrivals; about a third of the runs is cold at 10 an hour';
const COLD_SHARE = 'no run ended within the time for which Lambda keeps a function (lambda.keepAliveSeconds)';
const PIPELINE = 'setting of the pipeline';

function choice(name: string, value: string, unit: string, source: string, isAssumed: boolean): Assumption {
  return { name, value, unit, source, date: '', basis: isAssumed ? 'assumed' : 'given' };
}

/** The constants with the values that the model uses. A value that differs from ours is the user's. */
function constantsOf(
  kind: 'prices' | 'environment',
  table: ConstantTable,
  used: Readonly<Record<string, Readonly<Record<string, number | Pairs>>>>,
): Assumption[] {
  return Object.entries(table).flatMap(([group, constants]) =>
    Object.entries(constants).map(([name, constant]): Assumption => {
      const value = used[group][name];
      const isOurs = textOf(value) === textOf(constant.value);
      return {
        name: `${kind}: ${group}.${name}`,
        value: textOf(value),
        unit: constant.unit,
        ...(isOurs ? knownFrom(constant) : { source: `file of ${kind}`, date: '', basis: 'replaced' }),
      };
    }),
  );
}

function knownFrom({ source, date, known }: Constant): Pick<Assumption, 'source' | 'date' | 'basis'> {
  return { source, date, basis: known };
}

function textOf(value: number | Pairs): string {
  if (typeof value !== 'number') return value.map(([at, own]) => `${own} at ${at}`).join(', ');
  return value.toLocaleString('en-US', { maximumFractionDigits: 20, useGrouping: false });
}
