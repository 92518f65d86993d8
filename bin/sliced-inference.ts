#!/usr/bin/env node
/** The command line's entry. */
import * as path from 'node:path';
import { supervise } from './process/supervise';

void supervise(path.join(__dirname, 'program.js'), process.argv.slice(2));
