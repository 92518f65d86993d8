/** Where a plan has sizes and iterations from that depend on data. */
export interface DataSource {
  /** On which inputs the model ran, in words. */
  readonly inputs: string;
  /** Whether these inputs are generated ones instead of the user's. */
  readonly isGenerated: boolean;
  /** Why the model did not run, so that a plan has estimates. */
  readonly failure?: string;
}
