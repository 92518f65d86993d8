/**
 * Validates a definition before anything runs. It accepts the subset of the Amazon States Language that the construct
 * emits, with JSONata, and refuses everything else by name. https://states-language.net
 */
import { LocalCloudError, unsupported } from '../basics/errors';
import { entriesOf, isJsonObject, type Json } from '../basics/json';
import type {
  Definition,
  StateExit,
  ParallelState,
  PassState,
  ErrorHandling,
  State,
  StateGraph,
  TaskState,
  Transition,
} from './definition';
import { allStates } from './definition';
import { FieldReader } from './field-reader';
import { MAX_DEFINITION_BYTES, MAX_STATE_NAME } from './limits';
import { parseCatchers, parseRetriers } from './parse-error-handling';
import { compileQuery, type Query } from './query';

/** The name of a JSONata variable without its `$`. `$states` is reserved. */
const VARIABLE_NAME = /^(?!states$)[\p{L}_][\p{L}\p{N}_]*$/u;

export function parseDefinition(text: string): Definition {
  if (Buffer.byteLength(text) > MAX_DEFINITION_BYTES) {
    throw new LocalCloudError(
      `the definition must have at most ${MAX_DEFINITION_BYTES} bytes, got more: use fewer states`,
    );
  }
  const machine = new FieldReader(parseJson(text), 'the state machine');
  machine.optionalString('Comment');
  machine.optionalString('Version');
  if (machine.string('QueryLanguage') !== 'JSONata') throw unsupported('a query language other than JSONata');
  const timeoutSeconds = machine.optionalNumber('TimeoutSeconds', 'a positive integer', isPositiveInteger);
  const definition = { ...parseGraph(machine, new Set()), timeoutSeconds };
  checkNames(definition);
  return definition;
}

/** @param outer variables of the enclosing states: the graph can read them but not assign variables of the same names */
function parseGraph(fields: FieldReader, outer: ReadonlySet<string>): StateGraph {
  const entries = entriesOf(objectField(fields, 'States'));
  const own = entries.flatMap(([, state]) => assignedNames(state));
  const taken = own.find((name) => outer.has(name));
  if (taken !== undefined) {
    throw new LocalCloudError(
      `${fields.place} assigns the variable '${taken}', which an enclosing state also assigns: choose another name`,
    );
  }
  const variables = new Set([...outer, ...own]);
  const states = new Map(
    entries.map(([name, state]) => [name, new StateParser(name, state, variables).parse()]),
  );
  const graph = { startAt: fields.string('StartAt'), states };
  fields.refuseOthers();
  checkTargets(graph);
  return graph;
}

/** State names must be unique in the whole machine, including branches. */
function checkNames(definition: Definition): void {
  const names = new Set<string>();
  for (const { name } of allStates(definition)) {
    if (names.has(name)) {
      throw new LocalCloudError(
        `the state name '${name}' must be unique, got two such states: rename one of them`,
      );
    }
    names.add(name);
  }
}

class StateParser {
  private readonly fields: FieldReader;

  constructor(
    private readonly name: string,
    state: Json,
    private readonly variables: ReadonlySet<string>,
  ) {
    this.fields = new FieldReader(state, `state '${name}'`);
    if (name.length > MAX_STATE_NAME)
      throw unsupported(`a state name of more than ${MAX_STATE_NAME} characters`);
  }

  parse(): State {
    const { fields } = this;
    fields.optionalString('Comment');
    const language = fields.optionalString('QueryLanguage');
    if (language !== undefined && language !== 'JSONata') {
      throw unsupported(`the query language ${language} of ${fields.place}`);
    }
    const state = this.parseType(fields.string('Type'));
    fields.refuseOthers();
    return state;
  }

  private parseType(type: string): State {
    const { name } = this;
    switch (type) {
      case 'Task':
        return this.task();
      case 'Parallel':
        return this.parallel();
      case 'Pass':
        return { type, name, ...this.transition(), ...this.exit(this.fields) } satisfies PassState;
      case 'Succeed':
        return { type, name, output: this.query(this.fields, 'Output') };
      case 'Fail':
        return {
          type,
          name,
          error: this.query(this.fields, 'Error'),
          cause: this.query(this.fields, 'Cause'),
        };
      default:
        throw unsupported(`the type ${type} of ${this.fields.place}`);
    }
  }

  private task(): TaskState {
    const { name, fields } = this;
    const resource = fields.string('Resource');
    if (!/^arn:aws[\w-]*:states:::lambda:invoke$/.test(resource)) {
      throw unsupported(`the resource ${resource} of ${fields.place}`);
    }
    const task = new FieldReader(fields.raw('Arguments'), `the arguments of ${fields.place}`);
    const functionName = task.string('FunctionName');
    if (functionName.includes('{%')) throw unsupported(`an expression as function name of ${fields.place}`);
    const payload = this.query(task, 'Payload') ?? { kind: 'literal', value: {} };
    task.refuseOthers();
    return {
      type: 'Task',
      name,
      functionName,
      payload,
      timeoutSeconds: this.query(fields, 'TimeoutSeconds'),
      ...this.errorHandling(),
      ...this.transition(),
      ...this.exit(fields),
    };
  }

  private parallel(): ParallelState {
    const { name, fields, variables } = this;
    return {
      type: 'Parallel',
      name,
      branches: fields.list('Branches').map((branch) => parseGraph(branch, variables)),
      arguments: this.query(fields, 'Arguments'),
      ...this.errorHandling(),
      ...this.transition(),
      ...this.exit(fields),
    };
  }

  private errorHandling(): ErrorHandling {
    const { fields } = this;
    return {
      retry: parseRetriers(fields),
      catch: parseCatchers(fields, (catcher) => this.exit(catcher)),
    };
  }

  private transition(): Transition {
    const next = this.fields.optionalString('Next');
    const end = this.fields.raw('End');
    if ((end === true) === (next !== undefined))
      throw this.fields.invalid('Next', 'a state, or End to be true');
    return { next };
  }

  private exit(fields: FieldReader): StateExit {
    const assign = fields.raw('Assign') === undefined ? {} : objectField(fields, 'Assign');
    return {
      output: this.query(fields, 'Output'),
      assign: entriesOf(assign).map(([variable, value]) => {
        if (!VARIABLE_NAME.test(variable)) throw fields.invalid('Assign', 'names of variables');
        return [variable, compileQuery(value, `Assign/${variable}`, this.variables)] as const;
      }),
    };
  }

  private query(fields: FieldReader, field: string): Query | undefined {
    const value = fields.raw(field);
    return value === undefined ? undefined : compileQuery(value, field, this.variables);
  }
}

/** The variables that a state assigns, at its end or in a Catch. */
function assignedNames(state: Json): string[] {
  if (!isJsonObject(state)) return [];
  const catchers = Array.isArray(state.Catch) ? (state.Catch as readonly Json[]) : [];
  const own = isJsonObject(state.Assign) ? Object.keys(state.Assign) : [];
  return [...own, ...catchers.flatMap(assignedNames)];
}

function checkTargets(graph: StateGraph): void {
  const check = (place: string, target: string | undefined): void => {
    if (target === undefined || graph.states.has(target)) return;
    throw new LocalCloudError(`${place} leads to '${target}', got no such state: fix the definition`);
  };
  check('the start', graph.startAt);
  for (const state of graph.states.values()) {
    if (state.type === 'Succeed' || state.type === 'Fail') continue;
    check(`state '${state.name}'`, state.next);
    if (state.type === 'Pass') continue;
    for (const catcher of state.catch) check(`a catch of state '${state.name}'`, catcher.next);
  }
}

function objectField(fields: FieldReader, name: string) {
  const value = fields.raw(name);
  if (!isJsonObject(value)) throw fields.invalid(name, 'an object');
  return value;
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new LocalCloudError(
      `the definition is not JSON, got '${String(error)}': synthesize the assembly again`,
    );
  }
}

function isPositiveInteger(value: number): boolean {
  return Number.isInteger(value) && value > 0;
}
