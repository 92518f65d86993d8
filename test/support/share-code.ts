/** Unpacks the code of functions once for all local clouds of a Jest worker: ONNX Runtime takes longer than a small run. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { CodeFolders } from '../../local/lambda/code';
import { sharedFolder } from './temporary-folder';

type Unpack = (this: CodeFolders, code: Parameters<CodeFolders['folderOf']>[0]) => Promise<string>;

/** Call it before a cloud starts. The keys of assets have the digests of their contents. */
export function shareCode(): void {
  const unpacked = path.join(sharedFolder(), 'code');
  fs.mkdirSync(unpacked, { recursive: true });
  const folderOf: Unpack = Reflect.get(CodeFolders.prototype, 'folderOf');
  jest.spyOn(CodeFolders.prototype, 'folderOf').mockImplementation(async function (this: CodeFolders, code) {
    const folder = path.join(unpacked, code.key);
    if (fs.existsSync(folder)) return folder;
    const own = await folderOf.call(this, code);
    // Another function may have been faster.
    if (!fs.existsSync(folder)) fs.renameSync(own, folder);
    return folder;
  });
}
