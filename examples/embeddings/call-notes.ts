/** What `postprocess` must know of the request. */
export interface CallNotes {
  /** Tokens of each input, without padding. */
  readonly lengths: readonly number[];
  readonly format: 'float' | 'base64';
  readonly dimensions: number | undefined;
}
