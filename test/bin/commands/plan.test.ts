import * as fs from 'node:fs';
import * as path from 'node:path';
import type { PlanReport } from '../../../bin/plan/plan-report';
import { FLOAT, mlp, node, saveModel, temporaryFolder, value } from '../../support/model-builder';
import { refuse, succeed, succeedWithJson } from '../../support/run-cli';
import { HOSTILE_SUFFIX } from '../../support/sample-report';

function embedded(page: string): PlanReport {
  const [, text] = /<script id="report" type="application\/json">([\s\S]*?)<\/script>/.exec(page) ?? [];
  return JSON.parse(text) as PlanReport;
}

describe('plan', () => {
  const model = saveModel(mlp(4));

  it('prints the verdict, the slices, three lines of figures, the assumed sizes and the next steps', async () => {
    const output = await succeed(['plan', model, '--slices', '3']);
    const [verdict, slices, figures, warnings, next, ...rest] = output.trimEnd().split('\n\n');
    expect(verdict).toMatch(/^One function would do: [\d,]+ MB, /);
    expect(slices.split('\n')).toHaveLength(4);
    expect(figures).toMatch(
      /^price: .* a month\ntime: .* \(p95\)\neven: the largest slice does \d+\.?\d* % of the work$/,
    );
    expect(warnings).toBe('warning: no --dimension sets batch, so the plan assumes batch=1');
    expect(next).toMatch(/^next: plan again with --dimension .*\nnext: .*\nmore: --details/);
    expect(rest).toEqual([]);
    expect(output.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('prints all sentences, the runs and the services with --details', async () => {
    const output = await succeed(['plan', model, '--slices', '3', '--details']);
    const [verdict, warnings, slices, runs, services] = output.trimEnd().split('\n\n');
    expect(verdict.replaceAll(/\s+/g, ' ')).toMatch(
      /^One function would do: .* This plan runs the model in 3 slices, of which the largest has a function of 512 MB\./,
    );
    expect(warnings).toBe('warning: no --dimension sets batch, so the plan assumes batch=1');
    const cells = (block: string): string[][] => block.split('\n').map((line) => line.trim().split(/ {2,}/));
    const [head, ...rows] = cells(slices);
    expect(head.join(' ')).toBe('slice files memory peak read written compute warm load');
    const [stated] = rows.splice(3);
    expect(rows.map((row) => [row[0], row[2], row[4], row[5]])).toEqual(
      ['0', '1', '2'].map((slice) => [slice, '512MB', '64B', '64B']),
    );
    expect(stated).toEqual(['slices 0, 1 hand on small tensors in the state of the execution, without S3']);
    expect(cells(runs).map(([name]) => name)).toEqual(['run', 'warm', 'mixed', 'cold']);
    expect(cells(services).map(([name]) => name)).toContain('3 slices');
    expect(output.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('prices small tensors in the state, and in S3 if the pipeline has them there', async () => {
    const args = ['plan', model, '--slices', '3', '--json'];
    const [inState, inS3] = [
      (await succeedWithJson(args)) as PlanReport,
      (await succeedWithJson([...args, '--no-tensors-in-state'])) as PlanReport,
    ];
    const places = ({ slices }: PlanReport) => slices.map(({ writesTo }) => writesTo);
    expect(places(inState)).toEqual(['state', 'state', 's3-standard']);
    expect(places(inS3)).toEqual(['s3-standard', 's3-standard', 's3-standard']);
    // Two writes and two reads less, and functions that do not wait for them.
    const saved = inS3.run.warm.dollarsPerMillion - inState.run.warm.dollarsPerMillion;
    expect(saved).toBeGreaterThan(2 * 5.4);
    expect(saved).toBeLessThan(4 * 5.4);
    expect(inState.run.warm.p50).toBeLessThan(inS3.run.warm.p50);
    expect(inState.assumptions.find(({ name }) => name.startsWith('small tensors'))).toMatchObject({
      value: 'yes',
      basis: 'assumed',
    });
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
    expect(report.profile).toHaveLength(12);
    for (const { slice, position, bytes } of report.cuts) {
      expect(report.profile[position - 1].crossingBytes).toBe(bytes);
      expect(report.slices[slice].writeBytes).toBe(bytes);
    }
    const weights = (list: readonly { weightBytes: number }[]): number =>
      list.reduce((sum, { weightBytes }) => sum + weightBytes, 0);
    expect(weights(report.profile)).toBe(weights(report.slices));
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
    expect(output).toMatch(new RegExp(`\\nreport written to ${page}\\n$`));
    const report = await succeedWithJson(['plan', model, '--slices', '2', '--report', page]);
    expect(embedded(fs.readFileSync(page, 'utf8'))).toEqual(report);
    expect(fs.readdirSync(folder)).toEqual(['report.html']);
  });

  it('passes hostile names on as text', async () => {
    const names = ['x', 'a', 'y'].map((name) => `${name}${HOSTILE_SUFFIX}`);
    const hostile = saveModel({
      graph: {
        node: [node('Tanh', [names[0]], [names[1]]), node('Exp', [names[1]], [names[2]])],
        input: [value(names[0], FLOAT, [HOSTILE_SUFFIX, 4])],
        output: [value(names[2], FLOAT, [HOSTILE_SUFFIX, 4])],
      },
    });
    const page = path.join(temporaryFolder(), 'report.html');
    const output = await succeed(['plan', hostile, '--slices', '2', '--report', page]);
    expect(output).not.toMatch(/[^\n\P{Cc}]|\p{Bidi_Control}|\p{Zl}/u);
    const html = fs.readFileSync(page, 'utf8');
    expect(embedded(html).cuts[0].tensors[0].name).toBe(names[1]);
    expect(html.match(/<script\b/g)).toHaveLength(2);
  });
});

describe('plan refuses', () => {
  const page = path.join(temporaryFolder(), 'report.html');

  it.each([
    [
      'details as JSON',
      ['model.onnx', '--details', '--json'],
      /'--details' cannot be used with option '--json'/,
    ],
    [
      'two slicing flags',
      ['model.onnx', '--slices', '2', '--max-memory', '1024'],
      /^slicing flags exclude one another, got --slices and --max-memory: /,
    ],
    [
      'more requests than services are compared for',
      ['model.onnx', '--requests-per-hour', '1e12'],
      /It must be at most 10,000,000, about 2,778 requests a second/,
    ],
    [
      'a page on standard output, before it reads the model',
      ['missing.onnx', '--report', '-'],
      /^--report must name a file, got '-': /,
    ],
    [
      'a page in a folder that does not exist',
      ['missing.onnx', '--report', `${page}/no/report.html`],
      /^--report must be in an existing folder, got '.*no\/report\.html'/,
    ],
    [
      'more slices than the model can have',
      [saveModel(mlp(1)), '--slices', '9', '--report', page],
      /^the model can be cut into at most 3 slices, got 9 slices/,
    ],
    ['an unknown flag', ['model.onnx', '--reports', 'x'], /unknown option '--reports'/],
    ['a missing model', [], /missing required argument 'model'/],
  ])('%s', async (_, args, complaint) => {
    expect(await refuse(['plan', ...args])).toMatch(complaint);
    expect(fs.existsSync(page)).toBe(false);
  });
});
