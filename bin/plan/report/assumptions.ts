/** Lists what the figures of a report rest on: the choices of the pipeline, and every constant of the model of cost. */
import type { Constant, ConstantTable, Pairs } from '../../../lib/cost/constants/constant';
import { ENVIRONMENT } from '../../../lib/cost/constants/environment';
import { PRICES } from '../../../lib/cost/constants/prices';
import type { DetailedCostModel } from '../../../lib/cost/model';
import type { Assumption, ReportedModel } from '../plan-report';
import { type ReportRequest, isRateGiven } from './report-request';

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
    ...constantsOf('prices', PRICES, { ...prices }),
    ...constantsOf('environment', ENVIRONMENT, { ...environment }),
  ];
}

function choicesOf({ options, coldShare }: DetailedCostModel, request: ReportRequest): Assumption[] {
  const { stateMachineType, architecture, warmUp, networkInVpc, tls, tensorsInState } = options;
  const { request: input, result, intermediateRetentionDays, requestsPerHour } = options;
  const { maxMemoryMb, transport = 's3-standard', given = {} } = request;
  const isRateAssumed = !isRateGiven(request);
  const pipeline = (name: string, value: string, isGiven = false): Assumption =>
    choice(name, value, '', PIPELINE, !isGiven);
  const yesOrNo = (value: boolean): string => (value ? 'yes' : 'no');
  const place = (payload: 'inline' | 's3'): string => (payload === 's3' ? 'in S3' : 'in the payload');
  return [
    choice('requests per hour of mixed runs', String(requestsPerHour), '', RATE, isRateAssumed),
    choice('share of mixed runs that are cold', coldShare.toPrecision(3), '', COLD_SHARE, isRateAssumed),
    ...(maxMemoryMb === undefined
      ? []
      : [
          choice(
            'most memory of a function',
            String(maxMemoryMb),
            'MB',
            'limit of the plan',
            !given.maxMemoryMb,
          ),
        ]),
    pipeline('state machine', stateMachineType, given.stateMachineType),
    pipeline('architecture', architecture, given.architecture),
    pipeline('later slices load while the first one runs', yesOrNo(warmUp), given.warmUp),
    pipeline('tensors between slices', transport, given.tensorStore),
    pipeline(
      'small tensors between slices travel in the state',
      yesOrNo(tensorsInState),
      given.tensorsInState,
    ),
    pipeline('functions in a VPC', yesOrNo(networkInVpc)),
    pipeline('price of a VPC: NAT gateways, interface endpoints', 'none'),
    pipeline('TLS between functions and S3', yesOrNo(tls)),
    pipeline('tensors of a request', place(input)),
    pipeline('tensors of a result', place(result)),
    pipeline('days until tensors expire', String(intermediateRetentionDays)),
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
