import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { pageWith } from '../../../bin/plan/write-page';
import { analyzeFast } from '../../support/inference/fast-analysis';
import { hostileReport } from '../../support/real-report';

analyzeFast();

const SHELL = fs.readFileSync(path.join(__dirname, '../../../dist/bundle/plan-page.html'), 'utf8');

interface Part {
  readonly attributes: string;
  readonly text: string;
}

/** The elements of a name, as a parser of HTML finds them: an element with raw text ends at its first end tag. */
function elements(page: string, name: string): Part[] {
  return [...page.matchAll(new RegExp(`<${name}\\b([^>]*)>([\\s\\S]*?)</${name}\\b[^>]*>`, 'gi'))].map(
    ([, attributes, text]) => ({ attributes, text }),
  );
}

/** The page without the text of its scripts, of its styles and of the licenses. */
function markup(page: string): string {
  return page.replaceAll(/<(script|style|pre)\b([^>]*)>[\s\S]*?<\/\1>/gi, '<$1$2></$1>');
}

function policy(page: string): Map<string, string> {
  const [, content] = /http-equiv="Content-Security-Policy"\s+content="([^"]*)"/.exec(page) ?? [];
  const directives = content.split('; ').map((directive) => directive.split(' '));
  return new Map(directives.map(([name, ...values]) => [name, values.join(' ')]));
}

function hash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

describe('the page', () => {
  const report = hostileReport();
  const page = pageWith(SHELL, report);

  it('embeds the report as it is', () => {
    const [embedded] = elements(page, 'script').filter(({ attributes }) =>
      attributes.includes('id="report"'),
    );
    expect(JSON.parse(embedded.text)).toEqual(report);
  });

  it('has a policy that allows its own script and styles, and nothing else', () => {
    const [script] = elements(page, 'script').filter(({ attributes }) => attributes === '');
    const [style] = elements(page, 'style');
    expect(policy(page)).toEqual(
      new Map([
        ['default-src', "'none'"],
        ['script-src', hash(script.text)],
        ['style-src', hash(style.text)],
        ['base-uri', "'none'"],
        ['form-action', "'none'"],
      ]),
    );
  });

  it('refers to nothing outside of itself', () => {
    const html = markup(page);
    expect(html).not.toMatch(/\s(src|srcset|href|data|action|poster|background|style|on\w+)\s*=/i);
    expect(html).not.toMatch(/<(link|iframe|object|embed|img|base|form|video|audio)\b/i);
    expect(html).not.toContain('//');
    const [style] = elements(page, 'style');
    expect(style.text).not.toMatch(/@import|url\(|@font-face/i);
    const [script] = elements(page, 'script').filter(({ attributes }) => attributes === '');
    expect(script.text).not.toMatch(
      /\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|import\(|importScripts/,
    );
  });

  it('has two scripts: the report and the program, whatever names the model has', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('</script>', '<!--', '<script', ']]>', '$&', "$'", '%REPORT%', '\u2028', '</SCRIPT '),
    );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 4 }), (parts) => {
        const file = parts.join('');
        const made = pageWith(SHELL, { ...report, model: { ...report.model, file } });
        const scripts = elements(made, 'script');
        expect(scripts.map(({ attributes }) => attributes)).toEqual([
          ' id="report" type="application/json"',
          '',
        ]);
        // JSON keeps lone surrogates as escapes, so that the file is valid UTF-8.
        expect(JSON.parse(Buffer.from(scripts[0].text).toString())).toMatchObject({ model: { file } });
      }),
      { numRuns: 50 },
    );
  });
});
