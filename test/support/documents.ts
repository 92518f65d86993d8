/** The project's documents, taken apart for the tests that check them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Block, blocksOf, proseOf } from '../package/fences.cjs';

export const ROOT = path.join(__dirname, '../..');

export class Document {
  constructor(
    /** Relative to the root, with slashes. */
    readonly file: string,
    readonly root = ROOT,
  ) {}

  get text(): string {
    return fs.readFileSync(path.join(this.root, this.file), 'utf8');
  }

  get prose(): string {
    return proseOf(this.text);
  }

  codeBlocks(language: string): Block[] {
    return blocksOf(this.file, this.text).filter((block) => block.language === language);
  }

  /** The anchors of its headings, as GitHub makes them. */
  get anchors(): Set<string> {
    const seen = new Map<string, number>();
    const anchors = [...this.prose.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => {
      const slug = heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-');
      const before = seen.get(slug) ?? 0;
      seen.set(slug, before + 1);
      return before === 0 ? slug : `${slug}-${before}`;
    });
    return new Set(anchors);
  }

  /** Targets of its links and pictures. */
  get links(): string[] {
    return [...this.prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target);
  }

  /** The first column of each table whose head matches, without its marks. */
  firstColumn(head: RegExp): string[] {
    return this.prose
      .split(/\n{2,}/)
      .filter((block) => head.test(block.split('\n')[0]))
      .flatMap((table) => table.trim().split('\n').slice(2))
      .flatMap((row) => [...row.split('|')[1].matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  }
}

/** The relative links of a document whose file or heading does not exist. */
export function brokenLinks({ root, file, links }: Document): string[] {
  return links.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [name, anchor] = target.split('#') as [string, string?];
    const linked = name === '' ? file : path.posix.join(path.posix.dirname(file), name);
    if (!fs.existsSync(path.join(root, linked))) return true;
    return anchor !== undefined && !new Document(linked, root).anchors.has(anchor);
  });
}

const GUIDES = fs
  .readdirSync(path.join(ROOT, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);

/** The examples with a document of their own. */
const EXAMPLES = fs
  .readdirSync(path.join(ROOT, 'examples'))
  .map((name) => `examples/${name}/README.md`)
  .filter((file) => fs.existsSync(path.join(ROOT, file)));

export const README = new Document('README.md');

/** Everything that is written by hand. `docs/api` is generated. */
export const DOCUMENTS: readonly Document[] = [
  README,
  ...['ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'examples/README.md', ...EXAMPLES, ...GUIDES].map(
    (file) => new Document(file),
  ),
];

export function documentNamed(file: string): Document {
  const document = DOCUMENTS.find((each) => each.file === file);
  if (document === undefined) throw new Error(`no document ${file}`);
  return document;
}
