/** Validates what a distributed Map has besides the fields of all Maps. https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html */
import { hash } from 'node:crypto';
import { unsupported } from '../../local-cloud-error';
import type { DistributedMapState, FileFormat, ItemBatcher, ItemReader } from '../definition';
import { FieldReader } from '../field-reader';
import { compileQuery, type Query } from '../query';

/** By ReaderConfig's InputType. */
const FORMATS: Readonly<Record<string, FileFormat>> = {
  MANIFEST: 'inventory',
  JSONL: 'jsonLines',
  JSON: 'jsonArray',
  CSV: 'csv',
  PARQUET: 'parquet',
};

/** Not those that cannot stand in the name of an execution. */
const LABEL = /^[\w.()!@+='-]{1,40}$/;

/** @param config the ProcessorConfig, whose mode has been read */
export function parseDistributedMap(fields: FieldReader, config: FieldReader) {
  const executionType = config.string('ExecutionType');
  if (executionType !== 'EXPRESS')
    throw unsupported(`the execution type ${executionType} of ${fields.place}`, 'use EXPRESS');
  config.refuseOthers();
  // Without a label, Step Functions generates one.
  const label = fields.optionalString('Label') ?? hash('md5', fields.place);
  if (!LABEL.test(label)) throw fields.invalid('Label', 'at most 40 characters without special ones');
  return {
    label,
    reader: inside(fields, 'ItemReader', itemReader),
    itemSelector: fields.query('ItemSelector'),
    batcher: fields.raw('ItemBatcher') === undefined ? undefined : inside(fields, 'ItemBatcher', itemBatcher),
    maxConcurrency: fields.query('MaxConcurrency'),
    toleratedFailureCount: fields.query('ToleratedFailureCount'),
    toleratedFailurePercentage: fields.query('ToleratedFailurePercentage'),
    writer: inside(fields, 'ResultWriter', resultWriter),
  };
}

function itemReader(fields: FieldReader): ItemReader {
  const isList = operationOf(fields, ['listObjectsV2', 'getObject']) === 'listObjectsV2';
  const isPlainList = isList && fields.raw('ReaderConfig') === undefined;
  return {
    format: isPlainList ? 'objects' : inside(fields, 'ReaderConfig', isList ? flattenedFormat : format),
    locatedBy: isList ? 'Prefix' : 'Key',
    ...inside(fields, 'Arguments', (location) => ({
      bucket: needed(location, 'Bucket'),
      location: isList ? (location.query('Prefix') ?? EMPTY) : needed(location, 'Key'),
    })),
  };
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html */
function flattenedFormat(config: FieldReader): FileFormat {
  const transformation = config.string('Transformation');
  if (transformation !== 'LOAD_AND_FLATTEN')
    throw unsupported(`the transformation ${transformation} of ${config.place}`, 'use LOAD_AND_FLATTEN');
  const flattened = format(config);
  if (flattened === 'inventory')
    throw unsupported(`LOAD_AND_FLATTEN with the input type MANIFEST of ${config.place}`);
  return flattened;
}

function format(config: FieldReader): FileFormat {
  const type = config.string('InputType');
  if (!Object.hasOwn(FORMATS, type)) throw unsupported(`the input type ${type} of ${config.place}`);
  if (type === 'CSV') {
    const header = config.string('CSVHeaderLocation');
    if (header !== 'FIRST_ROW') throw unsupported(`the header location ${header} of ${config.place}`);
  }
  return FORMATS[type];
}

function itemBatcher(fields: FieldReader): ItemBatcher {
  const batcher = {
    maxItems: fields.query('MaxItemsPerBatch'),
    maxBytes: fields.query('MaxInputBytesPerBatch'),
    batchInput: fields.query('BatchInput'),
  };
  if (batcher.maxItems === undefined && batcher.maxBytes === undefined)
    throw fields.invalid('MaxItemsPerBatch', 'a number, or else MaxInputBytesPerBatch');
  return batcher;
}

function resultWriter(fields: FieldReader): DistributedMapState['writer'] {
  operationOf(fields, ['putObject']);
  return inside(fields, 'Arguments', (location) => ({
    bucket: needed(location, 'Bucket'),
    prefix: location.query('Prefix') ?? EMPTY,
  }));
}

const EMPTY = compileQuery('', 'Prefix');

/** The operation of S3 of an ARN such as `arn:aws:states:::s3:getObject`. */
function operationOf(fields: FieldReader, supported: readonly string[]): string {
  const resource = fields.string('Resource');
  const operation = /^arn:aws[\w-]*:states:::s3:(\w+)$/.exec(resource)?.[1];
  if (operation !== undefined && supported.includes(operation)) return operation;
  throw unsupported(`the resource ${resource} of ${fields.place}`);
}

/** Reads an object in a field, and refuses what is not read of it. */
function inside<T>(fields: FieldReader, name: string, read: (inner: FieldReader) => T): T {
  const value = fields.raw(name);
  if (value === undefined) throw unsupported(`${fields.place} without ${name}`, `add ${name}`);
  const inner = new FieldReader(value, `the ${name} of ${fields.place}`);
  const result = read(inner);
  inner.refuseOthers();
  return result;
}

function needed(fields: FieldReader, name: string): Query {
  const value = fields.query(name);
  if (value === undefined) throw fields.invalid(name, 'text');
  return value;
}
