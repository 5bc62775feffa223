import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '../../engine/config.js';
import { SfkitError } from '../../engine/errors.js';

export interface KubernetesOptions {
  /** Address of the API. Default: in a pod, that of its cluster. */
  url?: string | undefined;
  /**
   * Files to authenticate with: a bearer token, or certificates of authorities, or
   * `CERT:KEY[#PASSWORD][:CA]`. Default: in a pod, its service account.
   */
  cert?: string | undefined;
  /** The node whose pods are followed. Default: NODE_NAME, else the node of this pod or machine. */
  node?: string | undefined;
  env?: Environment | undefined;
  /** Directory of the service account. */
  account?: string | undefined;
}

/** How to reach the Kubernetes API. */
export interface KubernetesSettings {
  url: URL;
  /** File with the bearer token; read again for each request, because tokens expire. */
  tokenFile?: string | undefined;
  ca?: string | undefined;
  clientCert?: string | undefined;
  clientKey?: string | undefined;
  passphrase?: string | undefined;
  node?: string | undefined;
  /** This pod, whose node is asked for if `node` is missing. */
  self?: { namespace: string; name: string } | undefined;
  /** The machine's name, which most nodes have. */
  machine: string;
}

const usualAccount = '/var/run/secrets/kubernetes.io/serviceaccount';
/** Maximum bytes of a token or certificate file. */
const maxFile = 1 << 20;

/**
 * Undefined if there is no API to ask: no address is given and this is no pod. Throws
 * INVALID_ARGUMENT for an unusable address or file.
 */
export function kubernetesSettings(options: KubernetesOptions): KubernetesSettings | undefined {
  const { env = process.env, account = usualAccount } = options;
  const tokenFile = join(account, 'token');
  const inPod = env.KUBERNETES_SERVICE_HOST !== undefined && existsSync(tokenFile);
  const url = options.url || (inPod ? urlOfPod(env) : undefined);
  if (url === undefined) return undefined;
  const machine = hostname().toLowerCase();
  const settings: KubernetesSettings = {
    url: checkedUrl(url),
    node: options.node || env.NODE_NAME || undefined,
    machine,
  };
  // A token must not cross the network in plain text.
  if (settings.url.protocol === 'http:') {
    if (options.cert) refuse('files for the Kubernetes API: they need an https URL');
    return settings;
  }
  if (options.cert) return { ...settings, ...filesOf(options.cert) };
  if (!inPod) return settings;
  const caFile = join(account, 'ca.crt');
  const namespaceFile = join(account, 'namespace');
  return {
    ...settings,
    tokenFile,
    ca: existsSync(caFile) ? read(caFile) : undefined,
    self: existsSync(namespaceFile)
      ? { namespace: read(namespaceFile).trim(), name: env.HOSTNAME ?? machine }
      : undefined,
  };
}

function urlOfPod(env: Environment): string {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = env;
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function checkedUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // The text may hold a password, so the message does not repeat it.
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username || url.password)
    refuse('address of the Kubernetes API: expected an http or https URL without a password');
  return url;
}

/** The parts of `TOKEN`, `CA` or `CERT:KEY[#PASSWORD][:CA]`. */
function filesOf(text: string): Partial<KubernetesSettings> {
  const [first = '', second, third] = text.split(':');
  if (second === undefined) {
    const content = read(first);
    if (!content.includes('-----BEGIN')) return { tokenFile: first };
    if (!content.includes('PRIVATE KEY-----')) return { ca: content };
    return { clientCert: content, clientKey: content };
  }
  const [keyFile = '', passphrase] = second.split('#');
  return {
    clientCert: read(first),
    clientKey: read(keyFile),
    passphrase,
    ca: third ? read(third) : undefined,
  };
}

function read(path: string): string {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    refuse(`${path}: cannot read it: ${(error as Error).message}`);
  }
  if (content.length > maxFile) refuse(`${path}: too long for a token or certificate`);
  return content;
}

function refuse(message: string): never {
  throw new SfkitError('INVALID_ARGUMENT', message);
}
