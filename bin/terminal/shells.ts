/** Commands of a shell that set, remove and restore environment variables. */

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

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

export function set(name: string, value: string): string {
  return `export ${name}=${quoted(value)}`;
}

/** Keeps the values of these variables, if none are kept yet. */
export function keep(names: readonly string[]): string {
  return `[ -n "\${cloud_kept-}" ] || for cloud_kept in ${names.join(' ')}; do
  eval "[ -z \\"\\\${$cloud_kept+x}\\" ] || cloud_was_$cloud_kept=\\$$cloud_kept"
done`;
}

/** Defines the function `cloud_down`, which gives the variables their kept values. */
export function down(names: readonly string[], server?: Server): string {
  return `cloud_down() {
${server ? `  ! grep -qsx ${quoted(processLine(server.pid))} ${quoted(server.file)} || kill ${server.pid} 2>/dev/null || rm -f ${quoted(server.file)}\n` : ''}\
  for cloud_kept in ${names.join(' ')}; do
    unset "$cloud_kept"
    eval "[ -z \\"\\\${cloud_was_$cloud_kept+x}\\" ] || export $cloud_kept=\\"\\$cloud_was_$cloud_kept\\""
    unset "cloud_was_$cloud_kept"
  done
  unset cloud_kept
  unset -f cloud_down
}`;
}
