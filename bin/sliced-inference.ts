#!/usr/bin/env node
/** Entry of the command line: runs `program.ts` in a supervised child process. */
import * as path from 'node:path';
import { supervise } from './process/supervise';

void supervise(path.join(__dirname, 'program.js'), process.argv.slice(2));
