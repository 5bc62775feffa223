import { type Answer, list, number, object, text } from '../runtimes/description.js';

/** What to follow: the kind, its path in the API, and the part of an object that sfkit keeps. */
export interface Resource {
  kind: 'Pod' | 'Service' | 'Namespace';
  path: string;
  /** Only objects of this node. */
  ofNode: boolean;
  item(found: Answer): Answer;
}

/** Services come first, so that the first record of a pod has its services. */
export const resources: readonly Resource[] = [
  { kind: 'Namespace', path: '/api/v1/namespaces', ofNode: false, item: namespaceItem },
  { kind: 'Service', path: '/api/v1/services', ofNode: false, item: serviceItem },
  { kind: 'Pod', path: '/api/v1/pods', ofNode: true, item: podItem },
];

/** Longer texts are cut; names and values of labels in Kubernetes are shorter. */
const maxText = 1024;
const maxList = 128;
const maxLabels = 1024;
/** Maximum bytes of an event's payload: a capture has two bytes for its length. */
export const maxPayload = 60_000;

// Items have the names that captures have used since 2016. They leave out everything that may be
// secret: environments, commands, annotations, volumes.

function common({ metadata }: Answer): Answer {
  const { namespace, name, uid, creationTimestamp, labels } = object(metadata);
  return {
    ...(namespace !== undefined && { namespace: short(namespace) }),
    name: short(name),
    uid: short(uid),
    timestamp: short(creationTimestamp),
    labels: shortMap(labels),
  };
}

function namespaceItem(found: Answer): Answer {
  return common(found);
}

function serviceItem(found: Answer): Answer {
  const spec = object(found.spec);
  return {
    ...common(found),
    clusterIP: short(spec.clusterIP),
    clusterIPs: some(spec.clusterIPs).map(short),
    ports: some(spec.ports).map((entry) => {
      const port = object(entry);
      return {
        name: short(port.name),
        protocol: short(port.protocol),
        port: number(port.port),
        targetPort: typeof port.targetPort === 'number' ? port.targetPort : short(port.targetPort),
        nodePort: number(port.nodePort),
      };
    }),
    selector: shortMap(spec.selector),
  };
}

/** The annotation with the uid that the kubelet gives to a pod from a file of the node. */
const staticUid = 'kubernetes.io/config.hash';

function podItem(found: Answer): Answer {
  const spec = object(found.spec);
  const status = object(found.status);
  const hash = short(object(object(found.metadata).annotations)[staticUid]);
  return {
    ...common(found),
    nodeName: short(spec.nodeName),
    hostIP: short(status.hostIP),
    hostIPs: some(status.hostIPs).map(ipOf),
    podIP: short(status.podIP),
    podIPs: some(status.podIPs).map(ipOf),
    phase: short(status.phase),
    containers: some(spec.containers).map((entry) => {
      const { name, image } = object(entry);
      return { name: short(name), image: short(image) };
    }),
    containerStatuses: some(status.containerStatuses).map(statusOf),
    initContainerStatuses: some(status.initContainerStatuses).map(statusOf),
    ephemeralContainerStatuses: some(status.ephemeralContainerStatuses).map(statusOf),
    ...(hash !== '' && { staticUid: hash }),
  };
}

function ipOf(entry: unknown): Answer {
  return { ip: short(object(entry).ip) };
}

function statusOf(entry: unknown): Answer {
  const status = object(entry);
  const last = object(object(status.lastState).terminated);
  return {
    name: short(status.name),
    containerID: short(status.containerID),
    image: short(status.image),
    imageID: short(status.imageID),
    ready: status.ready === true,
    restartCount: number(status.restartCount),
    ...(last.containerID !== undefined && {
      lastState: {
        terminated: {
          containerID: short(last.containerID),
          exitCode: number(last.exitCode),
          reason: short(last.reason),
        },
      },
    }),
  };
}

function short(value: unknown): string {
  return text(value).slice(0, maxText);
}

function some(value: unknown): unknown[] {
  return list(value).slice(0, maxList);
}

function shortMap(value: unknown): Record<string, string> {
  const entries = Object.entries(object(value)).slice(0, maxLabels);
  return Object.fromEntries(entries.map(([name, entry]) => [name.slice(0, maxText), short(entry)]));
}

export type Action = 'ADDED' | 'MODIFIED' | 'DELETED';

/** The payloads of events about some items, each small enough for an event of a capture. */
export function* payloads(
  action: Action,
  kind: Resource['kind'],
  items: Iterable<Answer>,
): Generator<string> {
  const wrap = (parts: readonly string[]) =>
    `{"type":"${action}","apiVersion":"v1","kind":"${kind}","items":[${parts.join(',')}]}`;
  let parts: string[] = [];
  let size = 0;
  for (const item of items) {
    const part = fitting(item);
    const bytes = Buffer.byteLength(part) + 1;
    if (size + bytes > maxPayload && parts.length > 0) {
      yield wrap(parts);
      parts = [];
      size = 0;
    }
    parts.push(part);
    size += bytes;
  }
  if (parts.length > 0) yield wrap(parts);
}

/** Members to drop from an item that is too long, the least important first. */
const expendable = ['containers', 'initContainerStatuses', 'ports', 'containerStatuses', 'labels'];

function fitting(item: Answer): string {
  const kept = { ...item };
  let part = JSON.stringify(kept);
  for (const name of expendable) {
    if (Buffer.byteLength(part) <= maxPayload) break;
    delete kept[name];
    part = JSON.stringify(kept);
  }
  if (Buffer.byteLength(part) <= maxPayload) return part;
  const { namespace, name, uid } = item;
  return JSON.stringify({ namespace, name, uid });
}
