import type { ReasonId } from '../engine/reasons.gen.js';
import { addressNumbers } from '../records/ip-numbers.js';
import type { RowCursor } from './table-rows.js';

// Reads the lists of a pod from its columns, which have them as texts of JSON.

interface Service {
  name: string;
  id: string;
  namespace: string;
  portList: { port: number; targetPort: number; nodePort: number; proto: string }[];
  clusterIP: bigint[];
}

/** The lists of a pod, as records have them. */
export interface PodDetails {
  hostIP: bigint[];
  internalIP: bigint[];
  labels: Record<string, string>;
  selectors: Record<string, string>;
  services: Service[];
}

/** Lists that are not in their form are empty and count as skipped. */
export function podDetails(row: RowCursor, skip: (id: ReasonId) => void): PodDetails {
  const read = <Value>(column: string, empty: Value, parse: (json: unknown) => Value): Value => {
    const text = row.text(column);
    if (text === '') return empty;
    try {
      return parse(JSON.parse(text));
    } catch {
      skip('unreadable-pod-details');
      return empty;
    }
  };
  return {
    hostIP: read('pod_hostip', [], addresses),
    internalIP: read('pod_internalip', [], addresses),
    labels: read('pod_labels', {}, labels),
    selectors: read('pod_selectors', {}, labels),
    services: read('pod_services', [], (json) => list(json).map(service)),
  };
}

function service(json: unknown): Service {
  const { name, id, namespace, portList, clusterIP } = object(json);
  return {
    name: text(name),
    id: text(id),
    namespace: text(namespace),
    portList: list(portList).map((port) => {
      const { port: number, targetPort, nodePort, proto } = object(port);
      return {
        port: int(number),
        targetPort: int(targetPort),
        nodePort: int(nodePort),
        proto: text(proto),
      };
    }),
    clusterIP: addresses(clusterIP),
  };
}

function labels(json: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(object(json)).map(([name, value]) => [name, text(value)]),
  );
}

function addresses(json: unknown): bigint[] {
  return addressNumbers(list(json).map(text)) ?? unexpected();
}

function object(json: unknown): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return unexpected();
  return json as Record<string, unknown>;
}

function list(json: unknown): unknown[] {
  return Array.isArray(json) ? json : unexpected();
}

function text(json: unknown): string {
  return typeof json === 'string' ? json : unexpected();
}

function int(json: unknown): number {
  return typeof json === 'number' && (json | 0) === json ? json : unexpected();
}

function unexpected(): never {
  throw new Error('unexpected JSON');
}
