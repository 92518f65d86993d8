/** Long checks run in part in `npm test`, and in full in `npm run check:all`, which sets `FULL_CHECKS`. */
export const FULL_CHECKS = process.env.FULL_CHECKS !== undefined;

/** So many cases in `npm test`, and so many in `npm run check:all`. */
export function cases(few: number, all: number): number {
  return FULL_CHECKS ? all : few;
}
