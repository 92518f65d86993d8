/** Which buckets `cdk destroy` would leave: CloudFormation deletes empty ones only. */
import * as fs from 'node:fs';
import * as path from 'node:path';

interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly Properties?: { readonly BucketName?: { readonly Ref?: string } };
}

/** How many buckets go with the stacks of an assembly, and the logical ids of those that nothing empties before. */
export function bucketsOf(assembly: string): { deleted: number; leftover: string[] } {
  const resources = fs
    .readdirSync(assembly)
    .filter((file) => file.endsWith('.template.json'))
    .map((file) => JSON.parse(fs.readFileSync(path.join(assembly, file), 'utf8')) as unknown)
    .flatMap((template) => Object.entries((template as { Resources: Record<string, Resource> }).Resources));
  const deleted = resources
    .filter(([, { Type, DeletionPolicy }]) => Type === 'AWS::S3::Bucket' && DeletionPolicy === 'Delete')
    .map(([id]) => id);
  const emptied = new Set(
    resources
      .filter(([, { Type }]) => Type === 'Custom::S3AutoDeleteObjects')
      .map(([, { Properties }]) => Properties?.BucketName?.Ref),
  );
  return { deleted: deleted.length, leftover: deleted.filter((id) => !emptied.has(id)) };
}
