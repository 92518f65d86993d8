/** The calls of state machines: to the functions of their definitions, and to X-Ray. */
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../../../local/basics/json';
import { caller, type Call, type Values } from './call';

/** The role of a state machine calls the functions of its definition, and no others. */
export function machineCalls(values: Values, machine: sfn.StateMachine): Call[] {
  const { DefinitionString, TracingConfiguration } = values.properties(machine);
  const definition = JSON.parse(typeof DefinitionString === 'string' ? DefinitionString : '{}') as JsonObject;
  const functions = [...new Set(functionNames(definition))].map((arn) =>
    arn.startsWith('arn:') ? arn : `arn:aws:lambda:us-east-1:000000000000:function:${arn}`,
  );
  const call = caller(values, machine.role);
  const isTraced = isJsonObject(TracingConfiguration) && TracingConfiguration.Enabled === true;
  return [
    ...call(true, 'lambda:InvokeFunction', functions),
    ...call(false, 'lambda:InvokeFunction', ['arn:aws:lambda:us-east-1:000000000000:function:other:1']),
    ...call(false, 'lambda:UpdateFunctionCode', functions.map(unqualified)),
    ...call(isTraced, 'xray:PutTraceSegments', ['*'], {}),
  ];
}

function unqualified(arn: string): string {
  return arn.split(':').slice(0, 7).join(':');
}

function functionNames(value: Json): string[] {
  if (isJsonArray(value)) return value.flatMap(functionNames);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, item]) =>
    name === 'FunctionName' && typeof item === 'string' ? [item] : functionNames(item ?? null),
  );
}
