/** The commands by which a user with an account gathers the telemetry of a deployed pipeline. */
import { FILTER_PATTERN } from './call-messages';

/** @param stateMachineArn of the pipeline; without it, the commands read it from a variable */
export function gatherCommands(stateMachineArn: string | undefined): string {
  const arn = stateMachineArn ?? '<ARN of the state machine>';
  return `# 1. Run the pipeline, for example
STATE_MACHINE_ARN='${arn}'
aws stepfunctions start-execution --state-machine-arn "$STATE_MACHINE_ARN" --input file://input.json
#    For an Express state machine: aws stepfunctions start-sync-execution, with the same arguments

# 2. Read the names of its functions
FUNCTIONS=$(aws stepfunctions describe-state-machine --state-machine-arn "$STATE_MACHINE_ARN" \\
  --query definition --output text | grep -oE 'function:[A-Za-z0-9_-]+' | cut -d: -f2 | sort -u)

# 3. Write their logs of the last day. The functions of a pipeline share one log group
echo "$FUNCTIONS" | while read -r name; do
  aws lambda get-function-configuration --function-name "$name" --query LoggingConfig.LogGroup --output text
done | sort -u | while read -r group; do
  aws logs filter-log-events --log-group-name "$group" --start-time $(( ($(date +%s) - 86400) * 1000 )) \\
    --filter-pattern '${FILTER_PATTERN}' \\
    --output json > "runs-$(echo "\${group#/}" | tr / -).json"
done

# 4. Add up what the runs cost
sliced-inference cost runs-*.json
`;
}
