#!/usr/bin/env node
/** The command line's entry. */
import * as path from 'node:path';
import { supervise } from './supervise';

void supervise(path.join(__dirname, 'commands.js'), process.argv.slice(2));
