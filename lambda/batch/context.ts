/** What a call of a batch's function works with. */
import type { BatchSettings } from '../../contract/batch-function';
import type { ObjectStore } from '../store/object-store';

export interface BatchContext {
  readonly settings: BatchSettings;
  readonly objects: ObjectStore;
  /** Names objects and files that only this call writes. */
  readonly requestId: string;
}
