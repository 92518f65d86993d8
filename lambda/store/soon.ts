import { PREPARE_WAIT_MS } from './limits';

/** Waits for work that never rejects, but at most `PREPARE_WAIT_MS`. */
export async function soon(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work, new Promise((resolve) => (timer = setTimeout(resolve, PREPARE_WAIT_MS)))]);
  clearTimeout(timer);
}
