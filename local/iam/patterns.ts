/** Wildcards of policies: `*` for any text and `?` for one character. */

export function matchesPattern(pattern: string, text: string): boolean {
  let at = 0;
  let inText = 0;
  let star = -1;
  let afterStar = 0;
  while (inText < text.length) {
    if (pattern[at] === '*') {
      star = at++;
      afterStar = inText;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[inText])) {
      at++;
      inText++;
    } else if (star >= 0) {
      // The last star takes one more character.
      at = star + 1;
      inText = ++afterStar;
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(at));
}

/** arn:partition:service:region:account:resource */
const ARN_FIELDS = 6;

/**
 * Compares ARNs field by field, so that a wildcard never spans two of the first five fields. Fields that the pattern
 * leaves out match everything:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
export function matchesArn(pattern: string, arn: string): boolean {
  if (pattern === '*') return true;
  const wanted = arnFields(pattern);
  return arnFields(arn).every((field, index) => matchesPattern(wanted[index] ?? '*', field));
}

function arnFields(arn: string): string[] {
  const fields = arn.split(':');
  return fields.length <= ARN_FIELDS
    ? fields
    : [...fields.slice(0, ARN_FIELDS - 1), fields.slice(ARN_FIELDS - 1).join(':')];
}
