export interface Block {
  /** File and line, such as `docs/costs.md:12`. */
  readonly place: string;
  /** Empty if the fence names none. */
  readonly language: string;
  readonly attributes: Readonly<Partial<Record<string, string>>>;
  /** Ends with a line break. */
  readonly text: string;
}
export function blocksOf(name: string, markdown: string): Block[];
export function proseOf(markdown: string): string;
