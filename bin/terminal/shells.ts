/** How shells set, remove and restore environment variables. */

interface Shell {
  readonly set: (name: string, value: string) => string;
  readonly unset: (name: string) => string;
  /** Keeps the values of these variables, if none are kept yet. */
  readonly keep: (names: readonly string[]) => string;
  /** Defines the function `cloud_down`, which gives the variables their kept values. */
  readonly down: (names: readonly string[], server?: Server) => string;
}

/**
 * The process that `cloud_down` also ends, while the last line of the file names it: later another process may have its number. If it
 * was killed, the file is still there, and `cloud_down` removes it.
 */
interface Server {
  readonly pid: number;
  readonly file: string;
}

/** The line of a file that names the process. */
export function processLine(pid: number): string {
  return `# process ${pid}`;
}

function inSh(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function inPowershell(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export const SHELLS = {
  sh: {
    set: (name, value) => `export ${name}=${inSh(value)}`,
    unset: (name) => `unset ${name}`,
    keep: (names) => `[ -n "\${cloud_kept-}" ] || for cloud_kept in ${names.join(' ')}; do
  eval "[ -z \\"\\\${$cloud_kept+x}\\" ] || cloud_was_$cloud_kept=\\$$cloud_kept"
done`,
    down: (names, server) => `cloud_down() {
${server ? `  ! grep -qsx ${inSh(processLine(server.pid))} ${inSh(server.file)} || kill ${server.pid} 2>/dev/null || rm -f ${inSh(server.file)}\n` : ''}\
  for cloud_kept in ${names.join(' ')}; do
    unset "$cloud_kept"
    eval "[ -z \\"\\\${cloud_was_$cloud_kept+x}\\" ] || export $cloud_kept=\\"\\$cloud_was_$cloud_kept\\""
    unset "cloud_was_$cloud_kept"
  done
  unset cloud_kept
  unset -f cloud_down
}`,
  },
  powershell: {
    set: (name, value) => `$env:${name} = ${inPowershell(value)}`,
    unset: (name) => `Remove-Item Env:${name} -ErrorAction Ignore`,
    keep: (names) => `if (-not $cloudWas) {
  $cloudWas = @{}
  foreach ($name in ${names.map(inPowershell).join(', ')}) { $cloudWas[$name] = (Get-Item Env:$name -ErrorAction Ignore).Value }
}`,
    down: (names, server) => `function cloud_down {
${server ? `  if (Select-String -Quiet -Pattern ${inPowershell(`^${processLine(server.pid)}$`)} -LiteralPath ${inPowershell(server.file)} -ErrorAction Ignore) { Stop-Process ${server.pid} -ErrorAction Ignore; Remove-Item -LiteralPath ${inPowershell(server.file)} -ErrorAction Ignore }\n` : ''}\
  foreach ($name in ${names.map(inPowershell).join(', ')}) {
    if ($null -eq $cloudWas[$name]) { Remove-Item Env:$name -ErrorAction Ignore } else { Set-Item Env:$name $cloudWas[$name] }
  }
  $script:cloudWas = $null
  Remove-Item Function:cloud_down
}`,
  },
} satisfies Readonly<Record<string, Shell>>;

export type ShellName = keyof typeof SHELLS;
