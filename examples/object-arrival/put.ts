/**
 * Puts a drawing where it starts a run.
 *
 *     npx tsx put.ts seven '##### ....# ...#. ..#.. .#... .#... .#...'
 */
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { encodeTensors, tensorFrom } from 'cdk-sliced-inference/client';

async function main([name, drawing]: readonly (string | undefined)[]): Promise<void> {
  const { BUCKET } = process.env;
  if (BUCKET === undefined) throw new Error('BUCKET is not set: run `. ./cloud.env`');
  if (name === undefined || drawing === undefined)
    throw new Error(
      "no name or no drawing: run npx tsx put.ts seven '##### ....# ...#. ..#.. .#... .#... .#...'",
    );
  const data = Array.from(drawing.matchAll(/[#.]/g), ([pixel]) => Number(pixel === '#'));
  const pixels = tensorFrom('float32', [1, data.length], Float32Array.from(data));
  const s3 = new S3Client();
  await s3.send(
    new PutObjectCommand({
      Bucket: BUCKET,
      Key: `inputs/arrivals/${name}.safetensors`,
      Body: encodeTensors(new Map([['pixels', pixels]])),
    }),
  );
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(String(error));
  process.exitCode = 1;
});
