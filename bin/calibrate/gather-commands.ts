/** The commands by which a user with an account gathers the telemetry of a deployed pipeline. */

/** Runs of each temperature that suffice for every constant. */
const RUNS = 20;

/** @param stateMachineArn of the pipeline; without it, the commands read it from a variable */
export function gatherCommands(stateMachineArn: string | undefined): string {
  const arn = stateMachineArn ?? '<ARN of the state machine>';
  return `# 1. Run the pipeline: some runs cold, at least ${RUNS} warm. An idle function is cold after about 10 minutes.
STATE_MACHINE_ARN='${arn}'
aws stepfunctions start-execution --state-machine-arn "$STATE_MACHINE_ARN" --input file://input.json
#    For an Express state machine: aws stepfunctions start-sync-execution, with the same arguments

# 2. Read the names of its functions
FUNCTIONS=$(aws stepfunctions describe-state-machine --state-machine-arn "$STATE_MACHINE_ARN" \\
  --query definition --output text | grep -oE 'function:[A-Za-z0-9_-]+' | cut -d: -f2 | sort -u)

# 3. Write the logs of the last day
for name in $FUNCTIONS; do
  group=$(aws lambda get-function-configuration --function-name "$name" --query LoggingConfig.LogGroup --output text)
  aws logs filter-log-events --log-group-name "$group" --start-time $(( ($(date +%s) - 86400) * 1000 )) \\
    --filter-pattern '?"slice ran" ?"slice is warm" ?"slice failed" ?"warm-up failed" ?"REPORT RequestId"' --output json > "calibration-$name.json"
done

# 4. Calibrate, or add up what the runs cost
sliced-inference calibrate calibration-*.json --plan plan.json --out environment.json
sliced-inference cost calibration-*.json
`;
}
