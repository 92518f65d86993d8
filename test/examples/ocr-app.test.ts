/** The demo's stack, which slices a real model of 765 nodes. */
import { App } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { OcrStack } from '../../examples/ocr/app';
import { errorOf, shortTemplate } from '../support/pipeline-stack';
import { temporaryFolder } from '../support/model-builder';

const outdir = temporaryFolder();

function ocrStack(slices?: number): OcrStack {
  return new OcrStack(new App({ outdir, analyticsReporting: false }), 'SlicedOcr', slices);
}

test('is a pipeline of four slices with small functions', () => {
  const { resources, template } = shortTemplate(ocrStack());
  const functions = Object.values(resources('AWS::Lambda::Function'));
  expect(functions.map(({ MemorySize }) => MemorySize)).toEqual([512, 512, 512, 512]);
  template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Delete' });
});

test('has no warnings', () => {
  expect(Annotations.fromStack(ocrStack()).findWarning('*', Match.anyValue())).toEqual([]);
});

test('accepts another number of slices', () => {
  const { resources } = shortTemplate(ocrStack(6));
  expect(Object.keys(resources('AWS::Lambda::Function'))).toHaveLength(6);
});

test('refuses a number of slices that is not a number', () => {
  expect(errorOf(() => ocrStack(Number('many')))).toBe(
    'the number of slices must be a whole number of 1 or more, got NaN: pass a positive whole number',
  );
});
