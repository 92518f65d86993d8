/** The photo of a request: `{ "photo": "<base64>" }`, or `{ "s3": "inputs/photos/<name>" }` for a larger one. */
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { decodePicture, InvalidPhoto } from '../picture/decode';
import type { Picture } from '../picture/picture';
import { MAX_BASE64, MAX_PHOTO_BYTES, PHOTOS_PREFIX } from './photo-limits';

const client = new S3Client();

/** @throws InvalidPhoto if the request has no photo that can be decoded */
export async function readPhoto(request: unknown): Promise<Picture> {
  const { photo, s3 } = (request ?? {}) as { readonly photo?: unknown; readonly s3?: unknown };
  if (typeof photo === 'string' && s3 === undefined) return decodePicture(fromBase64(photo));
  if (typeof s3 === 'string' && photo === undefined) return readPicture(checkedKey(s3));
  throw new InvalidPhoto(
    'the request must be { "photo": "<base64>" } or { "s3": "inputs/photos/<name>" }, got something else: send one of them',
  );
}

function fromBase64(text: string): Uint8Array {
  if (text.length > MAX_BASE64) {
    throw new InvalidPhoto(
      `the photo must have at most ${MAX_BASE64} characters as base64, got ${text.length}: put it into S3 below ${PHOTOS_PREFIX}`,
    );
  }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) {
    throw new InvalidPhoto('the photo must be base64, got other characters: encode the bytes of the file');
  }
  return Buffer.from(text, 'base64');
}

function checkedKey(key: string): string {
  if (key.startsWith(PHOTOS_PREFIX) && !key.split('/').includes('..')) return key;
  throw new InvalidPhoto(`the key must be below ${PHOTOS_PREFIX}, got another one: upload the photo there`);
}

/** @throws InvalidPhoto if the object is no picture that can be decoded */
export async function readPicture(key: string): Promise<Picture> {
  const { Body, ContentLength = 0 } = await client.send(
    new GetObjectCommand({ Bucket: process.env.SLICED_INFERENCE_BUCKET, Key: key }),
  );
  if (Body === undefined || ContentLength > MAX_PHOTO_BYTES) {
    throw new InvalidPhoto(
      `the photo must have at most ${MAX_PHOTO_BYTES} bytes, got ${ContentLength}: make it smaller`,
    );
  }
  return decodePicture(await Body.transformToByteArray());
}
