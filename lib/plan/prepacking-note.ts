/** What users should know of a plan whose functions do not prepack weights: a sentence without a full stop. */
export const NOT_PACKED =
  'functions do not prepack weights, because nearly every run is cold at this rate of requests or --prepacking says so';
