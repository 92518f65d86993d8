/**
 * Puts a drawing where it starts a run.
 *
 *     npx tsx put.ts seven '##### ....# ...#. ..#.. .#... .#... .#...'
 */
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { encodeTensors, tensorFrom } from 'cdk-sliced-inference/client';

async function main(name: string, drawing: string): Promise<void> {
  const data = Array.from(drawing.matchAll(/[#.]/g), ([pixel]) => Number(pixel === '#'));
  const pixels = tensorFrom('float32', [1, data.length], Float32Array.from(data));
  const s3 = new S3Client();
  await s3.send(
    new PutObjectCommand({
      Bucket: process.env.BUCKET,
      Key: `inputs/arrivals/${name}.safetensors`,
      Body: encodeTensors(new Map([['pixels', pixels]])),
    }),
  );
}

void main(process.argv[2], process.argv[3]);
