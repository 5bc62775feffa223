/** A container description as in captures (CONTAINER_JSON events), without unknown members. */
export interface ContainerDescription {
  /** The first 12 digits. */
  id: string;
  full_id: string;
  type: number;
  name: string;
  image: string;
  imageid: string;
  imagerepo: string;
  imagetag: string;
  imagedigest: string;
  privileged: boolean;
  is_pod_sandbox: boolean;
  labels: Record<string, string>;
  created_time?: number;
  host_pid?: boolean;
  host_network?: boolean;
  host_ipc?: boolean;
  ip?: string;
  User?: string;
  Mounts?: {
    Source: string;
    Destination: string;
    Mode: string;
    RW: boolean;
    Propagation: string;
  }[];
  pod_sandbox_id?: string;
  pod_sandbox_labels?: Record<string, string>;
  memory_limit?: number;
  swap_limit?: number;
  cpu_shares?: number;
  cpu_quota?: number;
  cpu_period?: number;
}

/** The payload of the event. */
export function containerEvent(container: ContainerDescription): string {
  return JSON.stringify({ container });
}

/** Repository, tag and digest of names such as host:5000/name:tag@sha256:1234. */
export function splitImage(name: string): { repo: string; tag: string; digest: string } {
  const [named = '', digest = ''] = name.split('@', 2);
  const slash = named.lastIndexOf('/');
  const colon = named.lastIndexOf(':');
  const hasTag = colon > slash;
  return {
    repo: hasTag ? named.slice(0, colon) : named,
    tag: hasTag ? named.slice(colon + 1) : '',
    digest,
  };
}

export function withoutAlgorithm(id: string): string {
  return id.replace(/^sha256:/, '');
}

// --- Answers of runtimes are untrusted: any part can be missing or of another type.

export type Answer = Record<string, unknown>;

export function object(value: unknown): Answer {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Answer)
    : {};
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A number, also from text: 64-bit numbers arrive as text. */
export function number(value: unknown): number {
  const found = typeof value === 'string' ? Number(value) : value;
  return typeof found === 'number' && Number.isFinite(found) ? found : 0;
}

/** Longer values are left out, as in other collectors. */
const maxLabel = 100;

export function labels(value: unknown): Record<string, string> {
  const pairs = Object.entries(object(value)).filter(([, label]) => text(label).length <= maxLabel);
  return Object.fromEntries(pairs.map(([name, label]) => [name, text(label)]));
}
