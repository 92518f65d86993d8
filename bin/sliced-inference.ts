#!/usr/bin/env node
/** Entry of the command line: runs `program.ts` in a supervised child process. */
import * as path from 'node:path';
import { watchParent } from './process/parent-watch';
import { supervise } from './process/supervise';

const args = process.argv.slice(2);

/** `local` serves until it is stopped. All other commands end by themselves. */
const watch = args[0] === 'local' ? watchParent : undefined;

void supervise(path.join(__dirname, 'program.js'), args, watch);
