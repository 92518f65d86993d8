/** The address of the hub, the folder of its cache and the token, from the environment variables that the hub's own tools read. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { quoted, SlicedInferenceError } from '../../lib/errors';
import { readText } from '../../lib/host/read-text';

export interface HubSettings {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** With its name in messages, and what to do if it is not valid. */
  readonly token?: { readonly text: string; readonly source: string; readonly advice: string };
  /** The folder with the folders of all models. */
  readonly cache: string;
  /** How long the hub may send nothing. */
  readonly silenceMs: number;
  readonly isOffline: boolean;
}

/** A revision of a model on the hub. */
export interface HubModel extends HubSettings {
  readonly repository: string;
  readonly revision: string;
}

const DEFAULT_SILENCE_S = '30';
/** A timer takes at most 2 ** 31 - 1 ms. */
const MAX_SILENCE_S = 2_147_483;
const MAX_TOKEN_FILE = 4096;

/** https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables */
export function hubSettings(): HubSettings {
  const env = Object.fromEntries(Object.entries(process.env).filter(([, text]) => text !== ''));
  const home = expanded(env.HF_HOME ?? path.join(env.XDG_CACHE_HOME ?? '~/.cache', 'huggingface'));
  const token = isSet(env.HF_HUB_DISABLE_IMPLICIT_TOKEN)
    ? undefined
    : (tokenOf(env.HF_TOKEN ?? '', 'HF_TOKEN', 'copy it again, make a new token, or remove HF_TOKEN') ??
      storedToken(expanded(env.HF_TOKEN_PATH ?? path.join(home, 'token'))));
  const silence = env.HF_HUB_DOWNLOAD_TIMEOUT ?? DEFAULT_SILENCE_S;
  const must = `HF_HUB_DOWNLOAD_TIMEOUT must be 1 to ${MAX_SILENCE_S} seconds`;
  if (!(Number(silence) >= 1 && Number(silence) <= MAX_SILENCE_S))
    throw new SlicedInferenceError(must, quoted(silence), 'change or remove it');
  return {
    endpoint: endpointOf(env.HF_ENDPOINT ?? 'https://huggingface.co'),
    ...(token !== undefined && { token }),
    cache: path.resolve(expanded(env.HF_HUB_CACHE ?? path.join(home, 'hub'))),
    silenceMs: 1000 * Number(silence),
    isOffline: isSet(env.HF_HUB_OFFLINE),
  };
}

const isSet = (text = ''): boolean => /^(1|on|yes|true)$/i.test(text);

/** A path with `~`, which the hub's own tools expand too. */
function expanded(file: string): string {
  return file.replace(/^~(?=[\\/]|$)/, () => os.homedir());
}

function storedToken(file: string): HubSettings['token'] {
  if (!fs.existsSync(file)) return undefined;
  const text = readText(file, 'token', MAX_TOKEN_FILE, 'set HF_TOKEN');
  return tokenOf(text, `the token in ${quoted(file)}`, 'log in again with `hf auth login`');
}

function tokenOf(given: string, source: string, advice: string): HubSettings['token'] {
  const text = given.trim();
  // Other characters would end a header. The message must not show them: they are secret.
  if (/[^\x21-\x7e]/.test(text))
    throw new SlicedInferenceError(`${source} must be ASCII without blanks`, 'other characters', advice);
  return text === '' ? undefined : { text, source, advice };
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
