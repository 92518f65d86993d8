/** The numbers of functions' versions over all deployments: a version that stays keeps its number, a new one counts on. */
export class PublishedVersions {
  private readonly numbers = new Map<string, Map<string, number>>();

  /** @param logicalId of the version in the template: CDK makes it of all that the version depends on */
  numberOf(functionName: string, logicalId: string): string {
    const known = this.numbers.get(functionName) ?? new Map<string, number>();
    this.numbers.set(functionName, known);
    const number = known.get(logicalId) ?? known.size + 1;
    known.set(logicalId, number);
    return String(number);
  }
}
