/** The address of the hub, the folder of its cache and the token, from the environment variables that the hub's own tools read. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { quoted, SlicedInferenceError } from '../../lib/errors';
import { readText } from '../../lib/host/read-text';

export interface HubSettings {
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly token?: string;
  /** The folder with the folders of all models. */
  readonly cache: string;
  /** How long the hub may send nothing. */
  readonly silenceMs: number;
  readonly isOffline: boolean;
}

const DEFAULT_SILENCE_S = '30';
/** A timer takes at most 2 ** 31 - 1 ms. */
const MAX_SILENCE_S = 2_147_483;
const MAX_TOKEN_FILE = 4096;

/** https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables */
export function hubSettings(): HubSettings {
  const env = Object.fromEntries(Object.entries(process.env).filter(([, text]) => text !== ''));
  const home =
    env.HF_HOME ?? path.join(env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'huggingface');
  const token = env.HF_TOKEN?.trim() ?? storedToken(env.HF_TOKEN_PATH ?? path.join(home, 'token'));
  // Other characters would end a header. The message must not show them: they are secret.
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw new SlicedInferenceError('HF_TOKEN must be a token', 'other characters', 'copy it again');
  const silence = env.HF_HUB_DOWNLOAD_TIMEOUT ?? DEFAULT_SILENCE_S;
  const must = `HF_HUB_DOWNLOAD_TIMEOUT must be 1 to ${MAX_SILENCE_S} seconds`;
  if (!(Number(silence) >= 1 && Number(silence) <= MAX_SILENCE_S))
    throw new SlicedInferenceError(must, quoted(silence), 'change or remove it');
  return {
    endpoint: endpointOf(env.HF_ENDPOINT ?? 'https://huggingface.co'),
    ...(token !== undefined && { token }),
    cache: path.resolve(env.HF_HUB_CACHE ?? path.join(home, 'hub')),
    silenceMs: 1000 * Number(silence),
    isOffline: /^(1|on|yes|true)$/i.test(env.HF_HUB_OFFLINE ?? ''),
  };
}

function storedToken(file: string): string | undefined {
  if (!fs.existsSync(file)) return undefined;
  return readText(file, 'token', MAX_TOKEN_FILE, 'set HF_TOKEN').trim() || undefined;
}

/** A token or a model must not cross a network in the clear. */
export function isSafe({ protocol, hostname, username, password }: URL): boolean {
  const isLoopback = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
  return username + password === '' && (protocol === 'https:' || (protocol === 'http:' && isLoopback));
}

function endpointOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && isSafe(url) && url.search === '' && url.hash === '')
    return text.replace(/\/+$/, '');
  throw new SlicedInferenceError(
    'HF_ENDPOINT must be an https address without credentials',
    text.includes('@') ? 'one with an @' : quoted(text),
    'set it to an address such as https://huggingface.co, or remove it',
  );
}
