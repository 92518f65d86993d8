/**
 * The hub's own cache, which its tools share: contents in `blobs` under their digests, links to them in `snapshots` under a commit and a
 * path, commits of branches in `refs`. https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { makeFolder, replaceFile } from '../../lib/host/folders';
import { isCommit } from './repository';

export class HubCache {
  private readonly folder: string;

  constructor(cache: string, repository: string) {
    this.folder = path.join(cache, `models--${repository.replaceAll('/', '--')}`);
  }

  /** The path of a file in a snapshot if its content is there. */
  find(commit: string, file: string): string | undefined {
    const place = this.place(commit, file);
    return fs.statSync(place, { throwIfNoEntry: false })?.isFile() ? place : undefined;
  }

  /** The path of a content, in a folder that exists. */
  blob(digest: string): string {
    makeFolder(path.join(this.folder, 'blobs'));
    return path.join(this.folder, 'blobs', digest);
  }

  /** Links a file of a snapshot to its content. */
  link(commit: string, file: string, digest: string): void {
    const place = this.place(commit, file);
    const blob = this.blob(digest);
    makeFolder(path.dirname(place));
    fs.rmSync(place, { force: true });
    try {
      fs.symlinkSync(path.relative(path.dirname(place), blob), place);
    } catch {
      // Windows lets only some users make links. Another process may have made this one.
      if (this.find(commit, file) === undefined) fs.copyFileSync(blob, place, fs.constants.COPYFILE_FICLONE);
    }
  }

  /** The commit that a branch had when it was asked for last. */
  readRef(revision: string): string | undefined {
    const file = path.join(this.folder, 'refs', revision);
    const commit = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim() : '';
    return isCommit(commit) ? commit : undefined;
  }

  writeRef(revision: string, commit: string): void {
    if (this.readRef(revision) === commit) return;
    const file = path.join(this.folder, 'refs', revision);
    makeFolder(path.dirname(file));
    replaceFile(file, commit);
  }

  private place(commit: string, file: string): string {
    return path.join(this.folder, 'snapshots', commit, file);
  }
}
