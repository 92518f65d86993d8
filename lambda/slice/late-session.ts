/**
 * Loads ONNX Runtime when it is first needed. The function of the whole model must answer that it is cold without it: its 46 MB
 * take a new sandbox longer to read than everything else in the init phase.
 */
import type * as session from './session';

export function sessionModule(): typeof session {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- `import()` would end the init phase before the library is loaded
  return require('./session') as typeof session;
}
