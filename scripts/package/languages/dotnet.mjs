// What the .NET package needs: the .NET SDK, which also downloads from NuGet.
import { spawnSync } from 'node:child_process';

/** Returns why a .NET package cannot be built here, or undefined. */
export function dotnetProblem() {
  const { status } = spawnSync('dotnet', ['--list-sdks'], { stdio: 'ignore' });
  return status === 0 ? undefined : '.NET needs `dotnet`, which does not run';
}
