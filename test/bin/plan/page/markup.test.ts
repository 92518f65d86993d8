import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { pageOf } from '../../../../bin/plan/page/page';
import { analyzeFast } from '../../../support/inference/fast-analysis';
import { hostileReport } from '../../../support/real-report';

analyzeFast();

const report = hostileReport();
const page = pageOf(report);

/** The page without the text between its tags. */
const tagsOf = (html: string): string[] => html.match(/<[^>]*>/g) ?? [];

it('has a policy that allows its own styles, and nothing else', () => {
  const [, style] = /<style>([\s\S]*?)<\/style>/.exec(page) ?? [];
  const [, content] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
  const hash = createHash('sha256').update(style).digest('base64');
  expect(content).toBe(`default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`);
  expect(style).not.toMatch(/@import|url\(|@font-face/i);
});

it('has neither scripts nor anything outside of itself', () => {
  const tags = tagsOf(page);
  expect(
    tags.filter((tag) => /<(script|link|iframe|object|embed|img|base|form|video|audio)\b/i.test(tag)),
  ).toEqual([]);
  expect(tags.filter((tag) => /\s(src|srcset|data|action|style|on\w+)\s*=/i.test(tag))).toEqual([]);
  expect(tags.filter((tag) => tag.includes('href')).every((tag) => /^<a href="#\w+">$/.test(tag))).toBe(true);
});

it('has the same tags and the whole name, whatever the name of the model is', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('</title>', '<!--', '<script', ']]>', '$&', '&lt;', '"', "'", '\u2028', '</STYLE '),
  );
  fc.assert(
    fc.property(fc.array(text, { maxLength: 4 }), (parts) => {
      const made = pageOf({ ...report, model: { ...report.model, file: parts.join('') } });
      expect(tagsOf(made)).toEqual(tagsOf(page));
    }),
    { numRuns: 50 },
  );
});

it('shows markup in names as text', () => {
  expect(page).toContain('&lt;/script&gt;&lt;script&gt;document.title');
});
