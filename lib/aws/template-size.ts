/** Holds the template of a large pipeline against the limit of CloudFormation. */
import { CfnResource, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { quoted, SlicedInferenceError } from '../errors';
import { CLOUDFORMATION_QUOTAS, MAX_TEMPLATE_BYTES } from './quotas';

/** What a stack needs to write its template. CDK itself only warns of a template that is too large. */
interface TemplateWriter {
  _toCloudFormation(): unknown;
  readonly _suppressTemplateIndentation?: boolean;
}

const validated = new WeakSet<Stack>();

/** Templates of fewer resources stay below the limit. */
const FEW_RESOURCES = 50;

/** Adds an error to the validation of the construct's stack if its template, as CDK writes it, is too large to deploy. */
export function validateTemplateSize(scope: Construct): void {
  const stack = Stack.of(scope);
  if (validated.has(stack)) return;
  validated.add(stack);
  scope.node.addValidation({
    validate: () => {
      const resources = stack.node.findAll().filter((construct) => CfnResource.isCfnResource(construct));
      if (resources.length < FEW_RESOURCES) return [];
      const bytes = templateBytes(stack as unknown as TemplateWriter);
      if (bytes <= MAX_TEMPLATE_BYTES) return [];
      return [
        new SlicedInferenceError(
          `the template of the stack ${quoted(stack.stackName)} must have at most ${MAX_TEMPLATE_BYTES} bytes (${CLOUDFORMATION_QUOTAS})`,
          String(bytes),
          'set suppressTemplateIndentation on the stack, use fewer slices, or move other resources to another stack',
        ).message,
      ];
    },
  });
}

function templateBytes(stack: TemplateWriter): number {
  const indent = stack._suppressTemplateIndentation === true ? undefined : 1;
  return Buffer.byteLength(JSON.stringify(stack._toCloudFormation(), undefined, indent));
}
