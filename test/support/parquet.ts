/** Parquet files in memory. */
import type { FileMetaData } from 'hyparquet' with { 'resolution-mode': 'import' };
import type { ColumnSource, ParquetWriteOptions } from 'hyparquet-writer' with {
  'resolution-mode': 'import',
};

type Options = Omit<ParquetWriteOptions, 'columnData' | 'writer'>;

/** A column of this type, or of the type of its values. */
export function column(name: string, data: ColumnSource['data'], type?: ColumnSource['type']): ColumnSource {
  return { name, data, ...(type !== undefined && { type }) };
}

export async function parquetOf(columnData: ColumnSource[], options: Options = {}): Promise<Buffer> {
  const { parquetWriteBuffer } = await import('hyparquet-writer');
  return Buffer.from(parquetWriteBuffer({ columnData, ...options }));
}

/** The same file with another footer. */
export async function withFooter(file: Buffer, change: (metadata: FileMetaData) => void): Promise<Buffer> {
  const [{ parquetMetadata }, { ByteWriter }, { writeMetadata }] = await Promise.all([
    import('hyparquet'),
    import('hyparquet-writer'),
    import('hyparquet-writer/src/metadata.js'),
  ]);
  const metadata = parquetMetadata(new Uint8Array(file));
  change(metadata);
  const footer = new ByteWriter();
  // The writer has a hyparquet of its own, whose types lack the newest ones.
  writeMetadata(footer, metadata as Parameters<typeof writeMetadata>[1]);
  const start = file.length - 8 - file.readUInt32LE(file.length - 8);
  return Buffer.concat([file.subarray(0, start), Buffer.from(footer.getBuffer()), Buffer.from('PAR1')]);
}
