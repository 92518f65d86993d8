/** What a call reports while its execution runs. */

/** A step of an execution. */
export interface InferenceProgress {
  /**
   * What has happened. `restarted`: a deployment has replaced the model, and the execution starts again. `requestFailed`: the
   * client could not start a Standard execution or ask for its state, and tries again. `requestAnswered`: a request has succeeded after
   * failed ones.
   */
  readonly event:
    'started' | 'stateEntered' | 'stateExited' | 'requestFailed' | 'requestAnswered' | 'restarted' | 'ended';
  /** Milliseconds since 1970; of states by the clock of Step Functions. */
  readonly time: number;
  /** Name of the state, such as `Slice 00`. */
  readonly state?: string;
  /** An Express execution has none before its end. */
  readonly executionArn?: string;
  /** Of `requestFailed`: why. */
  readonly error?: Error;
}
