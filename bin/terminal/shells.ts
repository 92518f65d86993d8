/** How shells set, remove and read environment variables. */

interface Shell {
  readonly set: (name: string, value: string) => string;
  readonly unset: (name: string) => string;
  /** An argument that contains a variable between two texts. */
  readonly read: (before: string, name: string, after: string) => string;
}

export const SHELLS = {
  sh: {
    set: (name, value) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`,
    unset: (name) => `unset ${name}`,
    read: (before, name, after) => `"${before}$${name}${after}"`,
  },
  powershell: {
    set: (name, value) => `$env:${name} = '${value.replaceAll("'", "''")}'`,
    unset: (name) => `Remove-Item Env:${name} -ErrorAction Ignore`,
    read: (before, name, after) => `"${before}$env:${name}${after}"`,
  },
} satisfies Readonly<Record<string, Shell>>;

export type ShellName = keyof typeof SHELLS;
