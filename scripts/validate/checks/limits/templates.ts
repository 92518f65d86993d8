/** Sizes of templates, and numbers of what is in them. */
import * as fs from 'node:fs';
import { MAX_STACK_RESOURCES, MAX_TEMPLATE_BYTES } from '../../../../lib/aws/quotas';
import { isJsonObject, type Json } from '../../../../local/basics/json';
import type { Finding } from '../../check';
import { MAX_OUTPUTS, MAX_PARAMETERS, MAX_STACK_NAME_CHARACTERS } from '../../quotas';
import { atMost } from './at-most';
import type { Templates } from '../../resolve';

export function templateExcesses({ templates }: Templates): Finding[] {
  return templates.flatMap(({ path, name, file, template }) => [
    ...atMost(path, "characters of the stack's name", name.length, MAX_STACK_NAME_CHARACTERS),
    ...atMost(path, 'bytes of the template', fs.statSync(file).size, MAX_TEMPLATE_BYTES),
    ...atMost(path, 'resources', sizeOf(template.Resources), MAX_STACK_RESOURCES),
    ...atMost(path, 'outputs', sizeOf(template.Outputs), MAX_OUTPUTS),
    ...atMost(path, 'parameters', sizeOf(template.Parameters), MAX_PARAMETERS),
  ]);
}

function sizeOf(section: Json | undefined): number {
  return isJsonObject(section) ? Object.keys(section).length : 0;
}
