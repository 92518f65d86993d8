/** Numbers the functions' versions across deployments: a version keeps its number, a new version gets the next one. */
export class PublishedVersions {
  private readonly numbers = new Map<string, Map<string, number>>();

  /** @param logicalId of the version in the template; CDK derives it from everything that the version depends on */
  numberOf(functionName: string, logicalId: string): string {
    const known = this.numbers.get(functionName) ?? new Map<string, number>();
    this.numbers.set(functionName, known);
    const number = known.get(logicalId) ?? known.size + 1;
    known.set(logicalId, number);
    return String(number);
  }
}
