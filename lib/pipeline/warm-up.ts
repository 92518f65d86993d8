/** Whether later slices load while the first ones run. */

/**
 * Whether the functions of later slices are called at the start of a run to load their weights, beside the first slice. A
 * cold run then takes the time of the slowest load instead of that of all loads; a warm function answers at once.
 */
export enum WarmUp {
  /**
   * Where it is worth its price: always in Express machines, and in Standard ones, which charge a transition for each
   * slice, where it saves a cold run two seconds of loading or more. For a fragment the type of the pipeline's own machine
   * counts, not that of the machine around it.
   */
  AUTOMATIC = 'automatic',
  /** Always. */
  ALWAYS = 'always',
  /** Never: functions start cold one after the other. */
  NEVER = 'never',
}
