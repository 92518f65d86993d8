/** Whether a changed file still has the types of TypeScript: a change that the compiler refuses is no mutant. */
import * as path from 'node:path';
import ts from 'typescript';

export class Types {
  /** By absolute path: the text of the file that is changed. */
  changed = new Map();
  version = 0;

  constructor(root) {
    this.root = root;
    const config = ts.getParsedCommandLineOfConfigFile(
      path.join(root, 'tsconfig.build.json'),
      {},
      {
        ...ts.sys,
        onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
          throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, ' '));
        },
      },
    );
    const { fileNames, options } = config;
    this.service = ts.createLanguageService({
      getCompilationSettings: () => ({
        ...options,
        incremental: false,
        tsBuildInfoFile: undefined,
        // A change may leave a name unused.
        noUnusedLocals: false,
        noUnusedParameters: false,
      }),
      getScriptFileNames: () => fileNames,
      getScriptVersion: (name) => (this.changed.has(name) ? `changed ${this.version}` : '0'),
      getScriptSnapshot: (name) => {
        const text = this.changed.get(name) ?? ts.sys.readFile(name);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      getCurrentDirectory: () => root,
      getDefaultLibFileName: (own) => ts.getDefaultLibFilePath(own),
      fileExists: ts.sys.fileExists,
      readFile: ts.sys.readFile,
      readDirectory: ts.sys.readDirectory,
      directoryExists: ts.sys.directoryExists,
      getDirectories: ts.sys.getDirectories,
    });
  }

  accepts(file, text) {
    const name = path.join(this.root, file);
    this.changed = new Map([[name, text]]);
    this.version++;
    const { service } = this;
    return (
      service.getSyntacticDiagnostics(name).length === 0 && service.getSemanticDiagnostics(name).length === 0
    );
  }
}
