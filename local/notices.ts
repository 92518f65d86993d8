/** Collects what a local cloud does differently than AWS on this machine, each thing once. */
export class Notices {
  private readonly texts = new Map<string, string>();

  constructor(private readonly onNotice: (text: string) => void = () => undefined) {}

  /** @param about what the notice is about: a second notice about it is dropped */
  add(about: string, text: string): void {
    if (this.texts.has(about)) return;
    this.texts.set(about, text);
    this.onNotice(text);
  }

  list(): readonly string[] {
    return [...this.texts.values()];
  }
}
