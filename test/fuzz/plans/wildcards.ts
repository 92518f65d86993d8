/** Finds the wildcards in the policies of a template. */

interface Statement {
  readonly Action?: unknown;
  readonly Resource?: unknown;
  readonly Principal?: unknown;
}

/** What IAM does not take literally: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html */
const WILDCARD = /[*?]|\$\{/;

/**
 * Returns the actions, resources and principals with a wildcard. They have neither the numbers of slices nor digests, because
 * another plan may have others.
 */
export function wildcards(template: object): string[] {
  return statementsIn(template)
    .flatMap(({ Action, Resource, Principal }) => [Action, Resource, Principal].flat())
    .map((part) =>
      JSON.stringify(part ?? '')
        .replaceAll(/slice-?\d+/g, 'slice-N')
        .replaceAll(/[0-9a-f]{64}/g, 'SHA256'),
    )
    .filter((part) => WILDCARD.test(part));
}

function statementsIn(value: unknown): Statement[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = 'Statement' in value ? [value.Statement].flat() : [];
  return [...(own as Statement[]), ...Object.values(value).flatMap(statementsIn)];
}
