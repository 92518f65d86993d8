/** The log of a function: its last lines, for diagnosis. As on AWS, lines are lost while its role may not write; one line says so. */
import type { Readable } from 'node:stream';

/** Not a limit of Lambda. */
const LOG_BYTES = 64 * 1024;

export type LogListener = (functionName: string, line: string) => void;

export class FunctionLog {
  private lines: string[] = [];
  private bytes = 0;
  private isRefused = false;

  constructor(
    private readonly functionName: string,
    private readonly listener: LogListener = () => undefined,
    private readonly refusal: () => string | undefined = () => undefined,
  ) {}

  follow(output: Readable): void {
    let rest = '';
    output.setEncoding('utf8').on('data', (text: string) => {
      // Do not use `readline`, which also splits at carriage returns.
      const lines = (rest + text).split('\n');
      rest = lines.pop()?.slice(-LOG_BYTES) ?? '';
      for (const line of lines) this.append(line);
    });
    output.on('end', () => {
      if (rest !== '') this.append(rest);
    });
  }

  append(line: string): void {
    const refusal = this.refusal();
    if (refusal === undefined) this.keep(line);
    else if (!this.isRefused) this.keep(`the log lines of this function are lost: ${refusal}`);
    this.isRefused = refusal !== undefined;
  }

  private keep(line: string): void {
    // The runtime client writes line feeds inside a message as carriage returns.
    const text = line.replaceAll('\r', '\n');
    this.lines.push(text);
    this.bytes += Buffer.byteLength(text) + 1;
    while (this.bytes > LOG_BYTES && this.lines.length > 1) {
      this.bytes -= Buffer.byteLength(this.lines.shift() ?? '') + 1;
    }
    this.listener(this.functionName, text);
  }

  text(): string {
    return this.lines.map((line) => `${line}\n`).join('');
  }
}
