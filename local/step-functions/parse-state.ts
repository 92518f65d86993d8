/** Validates one state. https://states-language.net/spec.html#states-fields */
import { unsupported } from '../local-cloud-error';
import type { StateMachineType } from '../cloudformation/resources';
import { entriesOf, type Json } from '../json';
import type * as asl from './definition';
import { parseDistributedMap } from './distributed/parse-distributed-map';
import { FieldReader } from './field-reader';
import { MAX_STATE_NAME } from './limits';
import { compileQuery } from './query';

/** What to do instead of starting another state machine from a state. */
const USE_FRAGMENT =
  'run the states of the pipeline inside your state machine with asFragment, start its state machine from a function, or deploy it to AWS';

/** The name of a JSONata variable without its `$`. `$states` is reserved. */
const VARIABLE_NAME = /^(?!states$)[\p{L}_][\p{L}\p{N}_]*$/u;

interface StateScope {
  /** The query language of states that name none. */
  readonly language: string;
  /** Called with each target, and the place that names it. */
  readonly leadsTo: (place: string, target: string) => void;
  /** Parses a graph inside the state. @param type of the executions that run it, if not that of the state's own */
  readonly parseGraph: (fields: FieldReader, type?: StateMachineType) => asl.StateGraph;
  /** The type of the executions that run the state. */
  readonly type: StateMachineType;
}

export class StateParser {
  private readonly fields: FieldReader;

  constructor(
    private readonly name: string,
    state: Json,
    private readonly scope: StateScope,
  ) {
    this.fields = new FieldReader(state, `state '${name}'`);
    if (name.length > MAX_STATE_NAME)
      throw unsupported(`a state name of more than ${MAX_STATE_NAME} characters`);
  }

  parse(): asl.State {
    const { fields } = this;
    const language = fields.optionalString('QueryLanguage') ?? this.scope.language;
    if (language !== 'JSONata') {
      throw unsupported(
        `the query language ${language} of ${fields.place}`,
        "set the machine's QueryLanguage to JSONata and use its fields",
      );
    }
    const state = this.parseType(fields.string('Type'));
    fields.refuseOthers();
    return state;
  }

  private parseType(type: string): asl.State {
    const { name } = this;
    switch (type) {
      case 'Task':
        return this.task();
      case 'Parallel':
        return this.parallel();
      case 'Map':
        return this.map();
      case 'Choice':
        return this.choice();
      case 'Wait':
        return this.wait();
      case 'Pass':
        return { type, name, ...this.transition() };
      case 'Succeed':
        return { type, name, output: this.fields.query('Output') };
      case 'Fail':
        return { type, name, error: this.fields.query('Error'), cause: this.fields.query('Cause') };
      default:
        throw unsupported(`the type ${type} of ${this.fields.place}`);
    }
  }

  private task(): asl.TaskState {
    const { name, fields } = this;
    const resource = fields.string('Resource');
    if (!/^arn:aws[\w-]*:states:::lambda:invoke$/.test(resource)) {
      const remedy = /:states:startExecution\b|:aws-sdk:sfn:start/.test(resource) ? USE_FRAGMENT : undefined;
      throw unsupported(`the resource ${resource} of ${fields.place}`, remedy);
    }
    const task = new FieldReader(fields.raw('Arguments'), `the arguments of ${fields.place}`);
    const functionName = task.string('FunctionName');
    if (functionName.includes('{%')) throw unsupported(`an expression as function name of ${fields.place}`);
    const payload = compileQuery(task.raw('Payload') ?? {}, 'Arguments/Payload');
    // https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#lambda-Invoke-request-InvocationType
    const invocation = task.optionalString('InvocationType') ?? 'RequestResponse';
    if (invocation !== 'RequestResponse' && invocation !== 'Event') {
      throw unsupported(`the invocation type ${invocation} of ${fields.place}`);
    }
    task.refuseOthers();
    return {
      type: 'Task',
      name,
      functionName,
      payload,
      isAsynchronous: invocation === 'Event',
      timeoutSeconds: this.fields.query('TimeoutSeconds'),
      ...this.retryable(),
    };
  }

  private parallel(): asl.ParallelState {
    const { name, fields } = this;
    return {
      type: 'Parallel',
      name,
      branches: fields.list('Branches').map((branch) => this.scope.parseGraph(branch)),
      arguments: this.fields.query('Arguments'),
      ...this.retryable(),
    };
  }

  private map(): asl.MapState | asl.DistributedMapState {
    const { name, fields } = this;
    const processor = new FieldReader(fields.raw('ItemProcessor'), `the ItemProcessor of ${fields.place}`);
    const config = new FieldReader(
      processor.raw('ProcessorConfig') ?? {},
      `the ProcessorConfig of ${fields.place}`,
    );
    const mode = config.optionalString('Mode') ?? 'INLINE';
    if (mode === 'DISTRIBUTED') {
      if (this.scope.type === 'EXPRESS')
        throw unsupported(`the mode DISTRIBUTED of ${fields.place}, which runs in an Express execution`);
      const distributed = parseDistributedMap(fields, config);
      return {
        type: 'Map',
        name,
        mode,
        processor: this.scope.parseGraph(processor, 'EXPRESS'),
        ...distributed,
        ...this.retryable(),
      };
    }
    if (mode !== 'INLINE') throw unsupported(`the mode ${mode} of ${fields.place}`);
    return {
      type: 'Map',
      name,
      mode,
      processor: this.scope.parseGraph(processor),
      items: this.fields.query('Items'),
      itemSelector: this.fields.query('ItemSelector'),
      maxConcurrency: this.fields.query('MaxConcurrency'),
      ...this.retryable(),
    };
  }

  private choice(): asl.ChoiceState {
    const { name, fields } = this;
    const rules = fields.list('Choices');
    if (rules.length === 0) throw fields.invalid('Choices', 'at least one rule');
    return {
      type: 'Choice',
      name,
      choices: rules.map((rule, at) => this.choiceRule(rule, `Choices[${at}]/`)),
      default: this.target(fields, 'Default', `the default of ${fields.place}`),
      ...this.exit(fields),
    };
  }

  private choiceRule(fields: FieldReader, place: string): asl.ChoiceRule {
    const condition = fields.query('Condition', place);
    if (condition === undefined) throw fields.invalid('Condition', 'true, false or a JSONata expression');
    const rule = { condition, ...this.branch(fields, place) };
    fields.refuseOthers();
    return rule;
  }

  private wait(): asl.WaitState {
    const { name, fields } = this;
    const seconds = this.fields.query('Seconds');
    if (seconds !== undefined) return { type: 'Wait', name, seconds, ...this.transition() };
    throw unsupported(`${fields.place} without Seconds`, 'wait for a number of seconds');
  }

  private retryable(): asl.ErrorHandling & asl.Transition & asl.StateExit {
    return {
      retry: this.fields.list('Retry').map(retrier),
      catch: this.fields.list('Catch').map((fields, at) => {
        const catcher = { errorEquals: errorEquals(fields), ...this.branch(fields, `Catch[${at}]/`) };
        fields.refuseOthers();
        return catcher;
      }),
      ...this.transition(),
    };
  }

  /** What all states have that go on with another one. */
  private transition(): asl.Transition & asl.StateExit {
    const next = this.target(this.fields, 'Next');
    const end = this.fields.raw('End');
    if ((end === true) === (next !== undefined))
      throw this.fields.invalid('Next', 'a state, or End to be true');
    return { next, ...this.exit(this.fields) };
  }

  private target(fields: FieldReader, field: string, place = fields.place): string | undefined {
    const target = fields.optionalString(field);
    if (target !== undefined) this.scope.leadsTo(place, target);
    return target;
  }

  /** A rule or a catcher, which always has a target. @param place where in the state it is, such as `Catch[0]/` */
  private branch(fields: FieldReader, place: string): asl.StateExit & { readonly next: string } {
    const next = fields.string('Next');
    this.scope.leadsTo(fields.place, next);
    return { next, ...this.exit(fields, place) };
  }

  private exit(fields: FieldReader, place = ''): asl.StateExit {
    const assign = fields.raw('Assign') === undefined ? {} : fields.object('Assign');
    return {
      output: fields.query('Output', place),
      assign: entriesOf(assign).map(([variable, value]) => {
        if (!VARIABLE_NAME.test(variable)) throw fields.invalid('Assign', 'names of variables');
        return [variable, compileQuery(value, `${place}Assign/${variable}`)] as const;
      }),
    };
  }
}

/** https://states-language.net/spec.html#errors */
function retrier(fields: FieldReader): asl.Retrier {
  const jitterStrategy = fields.optionalString('JitterStrategy') ?? 'NONE';
  if (jitterStrategy !== 'FULL' && jitterStrategy !== 'NONE')
    throw fields.invalid('JitterStrategy', 'FULL or NONE');
  const atLeast = (name: string, least: number): number | undefined =>
    fields.optionalNumber(name, `a number from ${least}`, (value) => value >= least);
  const parsed: asl.Retrier = {
    errorEquals: errorEquals(fields),
    intervalSeconds: atLeast('IntervalSeconds', 1) ?? 1,
    maxAttempts: atLeast('MaxAttempts', 0) ?? 3,
    backoffRate: atLeast('BackoffRate', 1) ?? 2,
    maxDelaySeconds: atLeast('MaxDelaySeconds', 1),
    jitterStrategy,
  };
  fields.refuseOthers();
  return parsed;
}

function errorEquals(fields: FieldReader): string[] {
  const value = fields.raw('ErrorEquals');
  if (Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string'))
    return value;
  throw fields.invalid('ErrorEquals', 'names of errors');
}
