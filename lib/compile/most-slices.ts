/** The most slices that one stack can hold. */

/**
 * CloudFormation allows 500 resources in a stack:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
 */
const MAX_RESOURCES = 500;

/** A slice has a function, a version, a role and a policy. */
const RESOURCES_PER_SLICE = 4;

/** Bucket, state machine, logs and network of a pipeline, and a few constructs of the user's own. */
const OTHER_RESOURCES = 20;

/** The most slices for which the search looks. A plan with that many slices still fits the other limits of a stack. */
export const MOST_SLICES = Math.floor((MAX_RESOURCES - OTHER_RESOURCES) / RESOURCES_PER_SLICE);
