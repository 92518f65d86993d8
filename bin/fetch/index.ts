/** Downloads a model's ONNX file from the hub, with the files of external data that its tensors name. */
import * as path from 'node:path';
import { quoted, SlicedInferenceError, systemReason } from '../../lib/errors';
import { externalLocations } from '../../lib/onnx/parse';
import { showProgress } from '../terminal/progress';
import { HubCache } from './cache';
import { chooseFile, fileAt } from './choose';
import { bytesAt, checkSpace, download, incomplete, isWhole } from './download';
import { Hub } from './hub';
import { type HubFile, findCommit, isCommit, isInnerPath, listFiles } from './repository';
import { type HubModel, hubSettings } from './settings';

export interface FetchOptions {
  readonly file?: string;
  readonly revision: string;
}

export interface FetchedModel {
  /** Of the model's file. */
  readonly path: string;
  readonly commit: string;
  /** Paths of the model and of its external data in the repository. */
  readonly files: readonly string[];
}

export async function fetchModel(repository: string, options: FetchOptions): Promise<FetchedModel> {
  const { revision } = options;
  const settings = hubSettings();
  try {
    const download = await Download.start({ ...settings, repository, revision });
    const model = options.file ?? chooseFile(await download.files(), repository);
    const must = `${quoted(repository)} must have the file of --file at ${revision}`;
    const [place] = await download.take([model], must);
    const others = [...new Set(externalLocations(place).map((location) => besides(model, location)))];
    const ofData = `${quoted(repository)} must have the external data of ${quoted(model)}`;
    const advice = 'the repository is incomplete: choose another file or revision';
    await download.take(others, ofData, advice);
    return { path: place, commit: download.commit, files: [model, ...others] };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    const must = `the cache of the hub ${quoted(settings.cache)} must be writable`;
    throw new SlicedInferenceError(must, systemReason(error), 'set HF_HUB_CACHE to another folder');
  }
}

/** The path in the repository of a file that a model names. It is inside of the model's folder, which the parser has checked here. */
function besides(model: string, location: string): string {
  const file = path.posix.join(path.posix.dirname(model), location);
  if (isInnerPath(file)) return file;
  const what = `external data of ${quoted(model)} must stay inside the model's folder`;
  throw new SlicedInferenceError(what, quoted(location), 'do not use this model');
}

/** The files of one commit, from the cache or the hub. */
class Download {
  private listed: Promise<HubFile[]> | undefined;

  private constructor(
    private readonly hub: Hub,
    private readonly cache: HubCache,
    readonly commit: string,
  ) {}

  static async start(model: HubModel): Promise<Download> {
    const { repository, revision } = model;
    const [hub, cache] = [new Hub(model), new HubCache(model.cache, repository)];
    const known = isCommit(revision) ? revision : model.isOffline ? cache.readRef(revision) : undefined;
    if (known !== undefined) return new Download(hub, cache, known);
    showProgress(`looking for ${repository}`);
    const commit = await findCommit(hub);
    cache.writeRef(revision, commit);
    return new Download(hub, cache, commit);
  }

  /** The files of the repository; asked once. */
  files(): Promise<HubFile[]> {
    return (this.listed ??= listFiles(this.hub, this.commit));
  }

  /**
   * Takes files from the cache, and downloads the others.
   *
   * @param what of the error about a file that the repository lacks, as is `advice`
   */
  async take(names: readonly string[], what: string, advice?: string): Promise<string[]> {
    const { cache, commit } = this;
    const missing = names.filter((name) => cache.find(commit, name) === undefined);
    const files = missing.length > 0 ? await this.files() : [];
    const wanted = missing.map((name) => fileAt(files, name, what, advice));
    const left = wanted.map((file) => {
      const blob = cache.blob(file.digest);
      return isWhole(blob, file) ? 0 : file.size - bytesAt(incomplete(blob));
    });
    await checkSpace(this.hub.model.cache, left);
    for (const file of wanted) {
      const blob = cache.blob(file.digest);
      if (!isWhole(blob, file)) await download(this.hub, this.address(file), file, blob);
      cache.link(commit, file.path, file.digest);
    }
    return names.map((name) => cache.find(commit, name) ?? '');
  }

  private address({ path: name }: HubFile): string {
    const names = name.split('/').map(encodeURIComponent);
    const { endpoint, repository } = this.hub.model;
    return [endpoint, repository, 'resolve', this.commit, ...names].join('/');
  }
}
