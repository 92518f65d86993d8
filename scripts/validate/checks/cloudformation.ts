/** CDK's validation of the templates by `@aws/cloudformation-validate`, against CloudFormation's schemas of resources. */
import type { Check } from '../synthesize';

/** CDK's name of the validation. Other plugins of the report are not about CloudFormation. */
const PLUGIN = 'CloudFormation Validate';

export const cloudFormation: Check = {
  name: 'CloudFormation',
  find: ({ report }) => {
    if (report === undefined)
      throw new Error('CDK must validate the templates, got no report: unset CDK_VALIDATION');
    return report.pluginReports
      .filter(({ pluginName }) => pluginName === PLUGIN)
      .flatMap(({ violations }) => violations)
      .flatMap(({ ruleName, description, violatingConstructs }) =>
        violatingConstructs.map(({ constructPath: place }) => ({
          place,
          message: `${ruleName} ${description}`,
        })),
      );
  },
};
