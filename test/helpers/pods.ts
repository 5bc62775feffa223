import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SysflowEncoder } from '../../src/records/encode.js';
import { corpus } from './corpus.js';
import type { SfRecord } from './sf.js';

// Pods of .sf files as a reader finds them that is not sfkit's own.

/** A .sf file with pods; part of the corpus. */
export const podsOfCorpus = join(corpus, 'rules/sysflow/traces/k8s_small.sf');

export interface PodFields {
  ts: bigint;
  id: string;
  name: string;
  nodeName: string;
  hostIP: bigint[];
  internalIP: bigint[];
  namespace: string;
  restartCount: bigint;
  labels: Record<string, string>;
  selectors: Record<string, string>;
  services: { clusterIP: bigint[] }[];
}

/** An IPv4 address of a pod as text. */
export const dotted = (number: bigint) =>
  [0n, 8n, 16n, 24n].map((shift) => (number >> shift) & 255n).join('.');

/** Records of pods, and the events and flows of processes in pods, each with its pod. */
export interface FoundPods {
  pods: PodFields[];
  rows: { pod: PodFields; ts: bigint }[];
}

/** Joins the records of a file. */
export function joinPods(records: readonly SfRecord[]): FoundPods {
  const pods = new Map<unknown, PodFields>();
  const containers = new Map<unknown, unknown>();
  const processes = new Map<string, unknown>();
  const key = (oid: unknown) => {
    const { createTS, hpid } = oid as { createTS: bigint; hpid: bigint };
    return `${createTS} ${hpid}`;
  };
  const all: FoundPods = { pods: [], rows: [] };
  for (const { type, fields } of records) {
    if (type === 'Pod') {
      const pod = fields as unknown as PodFields;
      pods.set(pod.id, pod);
      all.pods.push(pod);
    } else if (type === 'Container') {
      containers.set(fields.id, (fields.podId as { string?: string } | null)?.string ?? null);
    } else if (type === 'Process') {
      processes.set(key(fields.oid), (fields.containerId as { string?: string } | null)?.string);
    } else if (fields.procOID !== undefined) {
      const podId = containers.get(processes.get(key(fields.procOID)));
      const pod = pods.get(podId);
      if (pod !== undefined) all.rows.push({ pod, ts: fields.ts as bigint });
    }
  }
  return all;
}

/** Writes a file with events of a pod that changes, and with an event of other writers. */
export function writePods(path: string): void {
  const encoder = new SysflowEncoder('deflate');
  const oid = { createTS: 5n, hpid: 7n };
  const pod = {
    ts: 10n,
    id: 'p1',
    name: 'web',
    nodeName: 'node',
    hostIP: [0x0100007fn],
    internalIP: [0x0200000an, 0x0300000an],
    namespace: 'default',
    restartCount: 2n,
    labels: { app: 'a "b"', '': 'x' },
    selectors: { disk: 'ssd' },
    services: [
      {
        name: 's',
        id: 'i',
        namespace: 'n',
        portList: [
          { port: 80, targetPort: 8080, nodePort: 30080, proto: 'TCP' },
          { port: 53, targetPort: 53, nodePort: 0, proto: 'UDP' },
        ],
        clusterIP: [0x0400000an],
      },
      { name: 'empty', id: '', namespace: '', portList: [], clusterIP: [] },
    ],
  };
  const event = (ts: bigint) => ({
    procOID: oid,
    ts,
    tid: 8n,
    opFlags: 64,
    sip: 0x0200000a,
    sport: 50000,
    dip: 0x0400000a,
    dport: 80,
    proto: 6,
    ret: -111,
  });
  const parts = [
    encoder.add('Header', { version: 5n, exporter: 'e', ip: '1.2.3.4', filename: 'f' }),
    encoder.add('Pod', pod),
    encoder.add('Container', containerOf('p1', 'c1')),
    encoder.add('Process', processOf('c1', oid)),
    encoder.add('NetworkEvent', event(12n)),
    encoder.add('Pod', { ...pod, ts: 13n, restartCount: 3n, services: [] }),
    encoder.add('NetworkEvent', event(14n)),
    encoder.take(),
  ];
  writeFileSync(path, Buffer.concat(parts.filter((part) => part !== undefined)));
}

/** A container record of a pod. */
export function containerOf(podId: string, id: string) {
  const facts = { name: 'c', image: 'i', imageid: 'x', type: 'CT_DOCKER', privileged: false };
  return { id, podId, ...facts };
}

/** A process record in a container. */
export function processOf(containerId: string, oid: { createTS: bigint; hpid: bigint }) {
  return {
    state: 'CREATED',
    oid,
    poid: null,
    ts: 11n,
    exe: '/bin/x',
    exeArgs: '',
    uid: 0,
    userName: 'root',
    gid: 0,
    groupName: 'root',
    tty: false,
    containerId,
    entry: false,
    cwd: '/',
    env: [],
  };
}
