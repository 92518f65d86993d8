/** Exit codes of the command line besides 0. */

/** The execution failed. */
export const FAILED = 1;

/** Bad usage or bad input. */
export const BAD_INPUT = 2;

/** What shells report for a process that SIGTERM ended. */
export const TERMINATED = 143;
