import { CountedObjects } from '../../../lambda/store/counted-objects';
import { MemoryObjects } from '../../support/memory-objects';

const PARTS = [new Uint8Array([1, 2, 3])];
const RANGE = { start: 0, end: 3 };

describe('counted objects', () => {
  it('count requests by kind of bucket, from the last time on', async () => {
    const objects = new CountedObjects(() => new MemoryObjects());
    const standard = { bucket: 'tensors', key: 'runs/a' };
    const express = { bucket: 'tensors--use1-az4--x-s3', key: 'runs/a' };
    await objects.putIfAbsent(standard, PARTS, 0);
    await objects.putIfAbsent(express, PARTS, 0);
    await objects.putIfAbsent(express, PARTS, 0);
    await objects.get(standard, RANGE);
    expect(objects.take()).toEqual({ s3Gets: 1, s3Puts: 1, expressGets: 0, expressPuts: 2 });
    await objects.get(express, RANGE);
    expect(objects.take()).toEqual({ s3Gets: 0, s3Puts: 0, expressGets: 1, expressPuts: 0 });
  });

  it('count a request that fails too', async () => {
    const objects = new CountedObjects(() => new MemoryObjects());
    await expect(objects.get({ bucket: 'tensors', key: 'missing' }, RANGE)).rejects.toThrow();
    expect(objects.take()).toMatchObject({ s3Gets: 1 });
  });
});
