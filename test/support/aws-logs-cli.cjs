/**
 * Stands in for the AWS CLI in the commands that gather logs. `AWS_LOGS` names a JSON file with the messages of each function,
 * which all write to one log group.
 */
const fs = require('node:fs');

const GROUP = '/aws/lambda/Test-PipelineSliceLogs';

/**
 * Whether a pattern of the form `?"a" ?"b"` finds a message: if it contains one of the texts.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
function finds(pattern, message) {
  if (!/^\?"[^"]+"( \?"[^"]+")*$/.test(pattern) || pattern.length > 1024)
    throw new Error(`not a pattern of texts: ${pattern}`);
  return [...pattern.matchAll(/"([^"]+)"/g)].some(([, text]) => message.includes(text));
}

function answer(args) {
  const { [`--function-name`]: name, '--log-group-name': group, '--filter-pattern': pattern } = options(args);
  const logs = JSON.parse(fs.readFileSync(process.env.AWS_LOGS, 'utf8'));
  switch (args.slice(0, 2).join(' ')) {
    case 'stepfunctions start-execution':
      return '{}';
    case 'stepfunctions describe-state-machine':
      return JSON.stringify(
        Object.keys(logs).map((fn) => ({
          Resource: 'arn:aws:states:::lambda:invoke',
          Arguments: { FunctionName: `arn:aws:lambda:us-east-1:111122223333:function:${fn}:1` },
        })),
      );
    case 'lambda get-function-configuration':
      if (!(name in logs)) throw new Error(`no function ${name}`);
      return GROUP;
    case 'logs filter-log-events':
      if (group !== GROUP) throw new Error(`no log group ${group}`);
      return JSON.stringify({
        events: Object.entries(logs).flatMap(([logStreamName, messages]) =>
          messages
            .filter((message) => finds(pattern, message))
            .map((message) => ({ logStreamName, message })),
        ),
      });
    default:
      throw new Error(`no command ${args.join(' ')}`);
  }
}

function options(args) {
  const named = args.flatMap((arg, at) => (arg.startsWith('--') ? [[arg, args[at + 1]]] : []));
  return Object.fromEntries(named);
}

module.exports = { finds };
if (require.main === module) process.stdout.write(`${answer(process.argv.slice(2))}\n`);
