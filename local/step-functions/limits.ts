/** Step Functions' quotas. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */

/** Largest input or output of a state, a task or an execution, and largest variable: 256 KiB of UTF-8 JSON. */
export const MAX_STATE_BYTES = 262_144;

/** Largest definition of a state machine, in bytes. */
export const MAX_DEFINITION_BYTES = 1_048_576;

/** Characters in a state's name. */
export const MAX_STATE_NAME = 80;

export const MAX_EXPRESS_SECONDS = 300;
