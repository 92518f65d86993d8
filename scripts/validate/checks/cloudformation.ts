/** CDK's validation of the templates as errors. */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../../../local/basics/json';
import { checkOf, type Finding } from '../check';

/** CDK's name of the validation. Other plugins of the report are not about CloudFormation. */
const PLUGIN = 'CloudFormation Validate';

/** @param report the file that CDK writes beside the templates */
export function reportedFindings(report: JsonObject | undefined): Finding[] {
  if (report === undefined)
    throw new Error('CDK must validate the templates, got no report: unset CDK_VALIDATION');
  return objects(report.pluginReports)
    .filter(({ pluginName }) => pluginName === PLUGIN)
    .flatMap(({ violations }) => objects(violations))
    .flatMap(({ ruleName, description, violatingConstructs }) =>
      objects(violatingConstructs).map(({ constructPath }) => ({
        place: text(constructPath),
        message: `${text(ruleName)} ${text(description)}`,
      })),
    );
}

function objects(value: Json | undefined): JsonObject[] {
  return value !== undefined && isJsonArray(value) ? value.filter(isJsonObject) : [];
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export const cloudFormation = checkOf('CloudFormation', ({ report }) => reportedFindings(report));
