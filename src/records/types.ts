/**
 * SysFlow records in JavaScript. Names are those of the SysFlow schema, version 5. 64-bit numbers
 * and times (nanoseconds since 1970) are bigint. Bytes that are not UTF-8 become U+FFFD.
 */

/**
 * Identity of a process: creation time of its leader (0: before the capture), and its process id.
 */
export interface Oid {
  createTS: bigint;
  hpid: bigint;
}

/**
 * Not a record of SysFlow files: no later record refers to these entities unless they are written
 * again.
 */
export type EndedRecord =
  | { type: 'Ended'; entity: 'process'; oid: Oid }
  | { type: 'Ended'; entity: 'container' | 'pod'; id: string }
  /** All files written so far. */
  | { type: 'Ended'; entity: 'files' };

/** Identity of a file: SHA-1 over container id and path, as 40 hexadecimal digits. */
export type Foid = string;

/** CREATED or MODIFIED by the event at that time; REUP: known before, or written again. */
export type ObjectState = 'CREATED' | 'MODIFIED' | 'REUP';

/** First record of every file and connection, and after each rotation. */
export interface HeaderRecord {
  type: 'Header';
  version: bigint;
  exporter: string;
  ip: string;
  filename: string;
}

export interface ContainerRecord {
  type: 'Container';
  id: string;
  name: string;
  image: string;
  imageid: string;
  /** Container runtime: CT_DOCKER, CT_CONTAINERD and others. */
  containerType: string;
  privileged: boolean;
  podId: string | null;
}

export interface ProcessRecord {
  type: 'Process';
  state: ObjectState;
  oid: Oid;
  /** The parent; null if unknown. */
  poid: Oid | null;
  ts: bigint;
  exe: string;
  exeArgs: string;
  uid: number;
  userName: string;
  gid: number;
  groupName: string;
  /** Whether it has a controlling terminal. */
  tty: boolean;
  containerId: string | null;
  /** Whether it is the first process of its container. */
  entry: boolean;
  cwd: string;
  env: string[];
}

export interface FileRecord {
  type: 'File';
  state: ObjectState;
  oid: Foid;
  ts: bigint;
  /** f file, d directory, u unix socket, p pipe, ? unknown. */
  restype: string;
  path: string;
  containerId: string | null;
}

/** A process started, executed a program, ended or changed its user. */
export interface ProcessEventRecord {
  type: 'ProcessEvent';
  procOID: Oid;
  ts: bigint;
  tid: bigint;
  /** One bit; operations() names it. */
  opFlags: number;
  args: string[];
  ret: number;
}

/** What a thread did with a connection. */
export interface NetworkFlowRecord {
  type: 'NetworkFlow';
  procOID: Oid;
  ts: bigint;
  tid: bigint;
  /** The bits of all operations; operations() names them. */
  opFlags: number;
  endTs: bigint;
  /** 4 or 6. SysFlow files cannot represent IPv6 flows; these records can. */
  family: 4 | 6;
  /** Address and port of the client. */
  sip: string;
  sport: number;
  dip: string;
  dport: number;
  /** 6 TCP, 17 UDP, 1 ICMP, 254 raw, -1 unknown. */
  proto: number;
  fd: number;
  numRRecvOps: bigint;
  numWSendOps: bigint;
  numRRecvBytes: bigint;
  numWSendBytes: bigint;
}

/** What a thread did with a file. */
export interface FileFlowRecord {
  type: 'FileFlow';
  procOID: Oid;
  ts: bigint;
  tid: bigint;
  opFlags: number;
  /** Open flags as in the capture; 0 if the capture does not show the open. */
  openFlags: number;
  endTs: bigint;
  fileOID: Foid;
  fd: number;
  numRRecvOps: bigint;
  numWSendOps: bigint;
  numRRecvBytes: bigint;
  numWSendBytes: bigint;
}

/** A file or directory was created, removed, linked or renamed. */
export interface FileEventRecord {
  type: 'FileEvent';
  procOID: Oid;
  ts: bigint;
  tid: bigint;
  opFlags: number;
  fileOID: Foid;
  ret: number;
  /** The second path of link, symlink and rename. */
  newFileOID: Foid | null;
}

/** Threads that a process started and ended. */
export interface ProcessFlowRecord {
  type: 'ProcessFlow';
  procOID: Oid;
  ts: bigint;
  numThreadsCloned: bigint;
  opFlags: number;
  endTs: bigint;
  numThreadsExited: bigint;
  numCloneErrors: bigint;
}

/** A connection as one event; only in SysFlow files of other writers. */
export interface NetworkEventRecord {
  type: 'NetworkEvent';
  procOID: Oid;
  ts: bigint;
  tid: bigint;
  opFlags: number;
  sip: string;
  sport: number;
  dip: string;
  dport: number;
  proto: number;
  ret: number;
}

/** A service that selects a pod. */
export interface PodService {
  name: string;
  id: string;
  namespace: string;
  portList: { port: number; targetPort: number; nodePort: number; proto: string }[];
  clusterIP: string[];
}

/** A pod of a cluster. Containers refer to it by its id. */
export interface PodRecord {
  type: 'Pod';
  ts: bigint;
  id: string;
  name: string;
  /** Empty if the pod is only known from container runtimes. */
  nodeName: string;
  /** Addresses of its node. */
  hostIP: string[];
  /** Its own addresses. */
  internalIP: string[];
  namespace: string;
  restartCount: bigint;
  labels: Record<string, string>;
  /** The labels by which its services select it. */
  selectors: Record<string, string>;
  services: PodService[];
}

/** A change in a cluster. */
export interface K8sEventRecord {
  type: 'K8sEvent';
  kind: string;
  action: string;
  ts: bigint;
  message: string;
}

/** A record that others refer to; it precedes the first record that does. */
export type EntityRecord = HeaderRecord | ContainerRecord | ProcessRecord | FileRecord | PodRecord;
/** An event or flow. */
export type ActivityRecord =
  | ProcessEventRecord
  | NetworkFlowRecord
  | FileFlowRecord
  | FileEventRecord
  | NetworkEventRecord
  | ProcessFlowRecord
  | K8sEventRecord;
/** Any record of a SysFlow file; `type` says which. */
export type SysFlowRecord = EntityRecord | ActivityRecord;
/** A record of a capture, or the end of entities. */
export type CaptureRecord = SysFlowRecord | EndedRecord;
