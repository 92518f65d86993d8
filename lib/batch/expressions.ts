/** JSONata of the states of a child. `child-states.ts` assigns the variables. */
import type { BatchItemsKind } from '../../contract/batch';
import { SERVICE_FAULTS } from '../aws/workflow/invoke-function';
import {
  SECONDS_OF_CALLS,
  SECONDS_OF_ITEM_ALONE,
  SECONDS_OF_PACKS,
  SECONDS_OF_SEVERAL_ITEMS,
} from '../cost/batch-limits';

/** Of the functions that a poison item may have killed. Then the pack is halved, until the item is alone. */
const DEATHS = [
  'Lambda.Unknown',
  'Sandbox.Timedout',
  'States.Timeout',
  'Runtime.ExitError',
  'Runtime.OutOfMemory',
];

/** An expression in its braces, in one line. */
export function jsonata(text: string): string {
  return `{% ${text.trim().replaceAll(/\s*\n\s*/g, ' ')} %}`;
}

/** Folders that the S3 console made are no items: they are empty objects. */
export function itemsOfChild(kind: BatchItemsKind): string {
  // Keys in an inventory are URL-encoded.
  const slash = kind === 'inventory' ? " or $substring(value.Key, -3) = '%2F'" : '';
  const isFolder = `($substring(value.Key, -1) = '/'${slash}) and $string(value.Size) = '0'`;
  const isOfObjects = kind === 'objects' || kind === 'inventory';
  const items = isOfObjects ? `$states.input.Items[$not(${isFolder})]` : '$states.input.Items';
  return jsonata(`($own := [${items}]; $count($own) > 0 ? [{'items': $own}] : [])`);
}

/** The part of a list from a place on, which is a list also if it has one element. */
function from(list: string, place: string): string {
  return `[${list}[[${place}..$count(${list}) - 1]]]`;
}

/** Puts items before those that wait, if there are any. */
function queued(items: string, queue = '$queue'): string {
  return `($first := ${items}; $count($first) > 0 ? $append([{'items': $first}], ${queue}) : ${queue})`;
}

const CHILD_START = '$toMillis($states.context.Execution.StartTime)';

/** Whether the next pack has time until the child must end. */
export const HAS_TIME = `($millis() - ${CHILD_START} < 1000 * ($queue[0].isAlone ? ${SECONDS_OF_CALLS - SECONDS_OF_ITEM_ALONE} : ${SECONDS_OF_PACKS}))`;

export const NEXT_PACK = {
  items: jsonata('[$queue[0].items]'),
  queue: jsonata(from('$queue', '1')),
  endsAt: jsonata(`(
    $childEnds := ${CHILD_START} + ${1000 * SECONDS_OF_CALLS};
    $seconds := $count($queue[0].items) > 1 ? ${SECONDS_OF_SEVERAL_ITEMS} : ${SECONDS_OF_ITEM_ALONE};
    $isBounded := $count($queue[0].items) > 1 or ($queue[0].isAlone and $count($queue) > 1);
    $isBounded ? $min([$childEnds, $millis() + 1000 * $seconds]) : $childEnds
  )`),
};

/** Until when a call begins items. @param calls of the pack that are left: they share its time */
export function until(calls: number): string {
  return calls === 1 ? '$endsAt' : `$millis() + $floor(($endsAt - $millis()) / ${calls})`;
}

/** The timeout of a call in seconds. @param calls that share the time of the pack */
export function timeout(calls: number): string {
  return `{% $max([1, $ceil(($endsAt - $millis()) / ${1000 * calls})]) %}`;
}

/** After the search for results: items without one wait. With a preprocess function, they have their digests. */
export function foundQueue(hasPreprocess: boolean): string {
  const left = '$left := $states.result.Payload.left; $own := [$queue.items[index in $left]]';
  const digest = '$lookup($digests, $string($item.index))';
  const identified = `$digests := $states.result.Payload.digests; [$map($own, function($item) { $merge([$item, {'digest': ${digest}}]) })]`;
  return jsonata(queued(`(${left}; ${hasPreprocess ? identified : '$own'})`, '[]'));
}

/** What a call of a function took, by its answer. @param where the slice, or `'whole': true` */
export function callsWith(where: string): string {
  const ms = '$t.loadMs + $t.readMs + $t.runMs + $t.writeMs';
  return `($t := $states.result.Payload.timing; $append($calls, [{${where}, 'mbMs': $round($t.memoryMb * (${ms})), 'processor': $t.processor}]))`;
}

/** After the last slice: what the pack came to. @param isResult whether its tensors are the results; otherwise a function makes these of them */
export function afterPack(where: string, isResult: boolean): Record<string, string> {
  const outcome = '$states.result.Payload.pack';
  const result = `{'key': ${outcome}.result, 'items': [${outcome}.done], 'ms': $millis() - $begun, 'calls': ${callsWith(where)}}`;
  return {
    ...(isResult
      ? { results: jsonata(`$exists(${outcome}.result) ? $append($results, [${result}]) : $results`) }
      : {
          calls: jsonata(callsWith(where)),
          computed: jsonata(
            `$exists(${outcome}.result) ? $merge([${outcome}, {'outputs': $states.result.Payload.outputs}]) : {'done': []}`,
          ),
          answered: '{% 0 %}',
          items: jsonata(`[$items[index in ${outcome}.done]]`),
        }),
    failed: jsonata(`$append($failed, ${outcome}.failed)`),
    queue: jsonata(queued(`($left := ${outcome}.left; [$items[index in $left]])`)),
  };
}

const BUSY = `$failure.Error in [${SERVICE_FAULTS.map((name) => `'${name}'`).join(', ')}]`;

/** The time of the pack was that of its item. @param isOne whether each run has one item */
function tooLong(isOne: boolean): string {
  const advice = isOne
    ? ''
    : `, or set itemsPerRun of the batch to 1: each item has ${SECONDS_OF_CALLS} seconds then`;
  return `$failure.state & ' took longer than the ' & $round(($endsAt - $begun) / 1000) & ' seconds that its item had: make it faster, for example with more memory${advice}'`;
}

/**
 * After a failed call: halves the pack whose item may have killed the function. One that took all the time leaves none for halves, so its
 * items run alone, in an order that changes: each rerun gets further, however many of them hang. Items wait again if Lambda is busy.
 * @param isOne whether each run has one item
 */
export function afterFailure(isOne: boolean): Record<string, string> {
  const isAlone = '$count($items) < 2';
  const isBusy = `(${BUSY} and $millis() - ${CHILD_START} < ${1000 * SECONDS_OF_PACKS})`;
  const isSplit = `($failure.Error in [${DEATHS.map((name) => `'${name}'`).join(', ')}] and $not(${isAlone}))`;
  const isLate =
    "($failure.Error in ['Sandbox.Timedout', 'States.Timeout'] or $contains($string($failure.Cause), 'Task timed out'))";
  const middle = '$ceil($count($items) / 2)';
  const parts = `(${isLate} ? $map($shuffle($items), function($item) { [$item] }) : [[$items[[0..${middle} - 1]]], ${from('$items', middle)}])`;
  const packs = `$map(${parts}, function($own) { {'items': $own, 'isAlone': $count($own) < 2} })`;
  // A task that took too long has no cause.
  const cause = `$failure.Error = 'States.Timeout' ? ${tooLong(isOne)} : $substring($string($failure.Cause), 0, 2000)`;
  const failure = `{'items': [$items.index], 'error': $failure.Error, 'cause': ${cause}, 'hint': $failure.hint}`;
  return {
    queue: jsonata(
      `${isSplit} ? $append(${packs}, $queue) : ${isBusy} ? $append($queue, [{'items': [$items]}]) : $queue`,
    ),
    failed: jsonata(`${isSplit} or ${isBusy} ? $failed : $append($failed, [${failure}])`),
  };
}

/** What a preprocess function gets of an item. @param value JSONata of what the item reader found */
export function handledItem(value: string, kind: BatchItemsKind, bucket: string): string {
  if (kind === 'objects' || kind === 'inventory') {
    const key =
      kind === 'inventory' ? `$decodeUrlComponent($replace(${value}.Key, '+', ' '))` : `${value}.Key`;
    return `{'bucket': $exists(${value}.Bucket) ? ${value}.Bucket : '${bucket}', 'key': ${key}${kind === 'objects' ? `, 'etag': ${value}.Etag` : ''}}`;
  }
  if (kind !== 'csv') return value;
  // Step Functions passes on a byte order mark as a part of the first column's name.
  return `$merge($each(${value}, function($cell, $name) { {$replace($name, /^\\ufeff/, ''): $cell} }))`;
}

/** What a preprocess function gets instead of one item. @param calls see `until` @param of see `handledItem`; without the value */
export function packToHandle(calls: number, ...of: [kind: BatchItemsKind, bucket: string]): string {
  // The brackets at the end keep a pack of one item a list, also if the item is a list itself.
  return jsonata(
    `{'pack': $map($items, function($item) { ${handledItem('$item.value', ...of)} })[], 'until': ${until(calls)}}`,
  );
}

const NO_PACK =
  'must answer a pack: make it with the handlers of this package (docs/batch.md), or set itemsPerRun of the batch to 1';

/**
 * After a failed call. Failures of this package's handlers name their step, in JSON in Lambda's JSON: `\x5c` is a backslash.
 * @param getsPacks whether the function is a handler that gets packs
 */
export function failureOf(getsPacks: boolean): string {
  const hint = `$contains($string($states.errorOutput.Cause), /\\x5c"step\\x5c":/) ? {} : {'hint': 'a function that gets a pack ${NO_PACK}'}`;
  const more = getsPacks ? `, ${hint}` : '';
  return jsonata(`$merge([$states.errorOutput, {'state': $states.context.State.Name}${more}])`);
}

/**
 * JSONata of the answers of a handler, or of an error. @param most JSONata of the number of items that it got
 * @param one whether it gets one item, and answers for it alone
 */
function answersOf(step: string, most: string, one: boolean): string {
  const payload = '$states.result.Payload';
  if (one) return `[{'value': ${payload}}]`;
  // A function that returns what it gets answers nothing.
  const isAnswer = '$exists(value) or $exists(failure)';
  const areAnswers = `$count($own) in [1..${most}] and $count($own[${isAnswer}]) = $count($own)`;
  const answers = `($own := [${payload}.pack]; ${areAnswers} ? $own : $error('the ${step} function ${NO_PACK}'))`;
  return `($type(${payload}) = 'object' ? ${answers} : $error('the ${step} function ${NO_PACK}'))`;
}

/** Cut, because a state has those of all items, as JSON in UTF-8. A control character has six bytes there, other characters up to four. */
const CUT =
  '$cut := function($text, $most) { $substring($text, 0, $contains($text, /[\\x00-\\x1f]/) ? $floor($most / 6) : $contains($text, /[^ !#-\\x5b\\x5d-~]/) ? $floor($most / 4) : $most) }';
const FAILURE_OF_ANSWER =
  "{'error': $cut($answer.failure.error, 60), 'cause': $cut($answer.failure.message, 280)}";

/** After a preprocess function: items get their requests, and those that it did not reach wait again. */
export function afterPreprocess(one: boolean): Record<string, string> {
  const answers = `$answers := ${answersOf('preprocess', '$count($items)', one)}`;
  const request = "$merge([$items[$at], {'request': $answer.value}])";
  const failure = `$merge([{'items': [$items[$at].index]}, ${FAILURE_OF_ANSWER}])`;
  const each = (made: string, field: string): string =>
    `[$map($answers, function($answer, $at) { $exists($answer.${field}) ? ${made} })]`;
  return {
    items: jsonata(`(${answers}; ${each(request, 'value')})`),
    failed: jsonata(`(${answers}; ${CUT}; $append($failed, ${each(failure, 'failure')}))`),
    queue: jsonata(`(${answers}; ${queued(from('$items', '$count($answers)'))})`),
  };
}

/**
 * What a postprocess function gets: an output as that of an execution, for each result that it has not answered yet.
 * @param one whether it gets one output, whose tensors may be inside
 */
export function outputsToHandle(identity: string, bucket: string, one: boolean): string {
  if (one) return jsonata(`$merge([${identity}, {'outputs': $computed.outputs, 'timings': []}])`);
  const outputs = `{'s3': {'bucket': '${bucket}', 'key': $computed.result}, 'entry': $entry}`;
  const output = `$merge([${identity}, {'outputs': ${outputs}, 'timings': []}])`;
  return jsonata(
    `{'pack': [$map([$answered..$count([$computed.done]) - 1], function($entry) { ${output} })], 'until': ${until(1)}}`,
  );
}

export const ANSWERS_TO_STORE = {
  result: '{% $computed.result %}',
  // A list in brackets with a place behind it would be one element.
  items: jsonata(`($done := [$computed.done]; ${from('$done', '$answered')})`),
  from: '{% $answered %}',
  answers: '{% $answers %}',
  prefix: '{% $prefix %}',
  salt: '{% $salt %}',
};

export function answersOfPostprocess(one: boolean): string {
  return jsonata(answersOf('postprocess', '($count([$computed.done]) - $answered)', one));
}

/** Whether a postprocess function has results to answer. */
export const HAS_OUTPUTS = '{% $answered < $count([$computed.done]) %}';

/** Whether it has answered some, and the others wait for a further pack, because less than a quarter of the time is left. */
export const HANDS_BACK = `{% $answered > 0 and $count($items) > 0 and $endsAt - $millis() < ${(1000 * SECONDS_OF_SEVERAL_ITEMS) / 4} %}`;

export const HANDED_BACK = { queue: jsonata(queued('$items')) };

/** After the answers were stored. The calls of the pack count once, with the first result, and the time up to here too. */
export const AFTER_STORE = {
  results: jsonata(
    "$append($results, [$map([$states.result.Payload.results], function($own) { $merge([$own, {'ms': $millis() - $begun, 'calls': $calls}]) })])",
  ),
  calls: '{% $count($states.result.Payload.results) > 0 ? [] : $calls %}',
  begun: '{% $count($states.result.Payload.results) > 0 ? $millis() : $begun %}',
  failed: '{% $append($failed, $states.result.Payload.failed) %}',
  answered: '{% $answered + $count($answers) %}',
  items: jsonata(from('$items', '$count($answers)')),
};
