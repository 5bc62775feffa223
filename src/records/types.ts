/**
 * SysFlow records as JavaScript has them. Names are those of the SysFlow schema, version 5; numbers of 64 bits and times
 * (nanoseconds since 1970) are bigint; text that was no UTF-8 holds U+FFFD.
 */

/** Identity of a process: when its main thread was made (0: before the capture), and its process id. */
export interface Oid {
  createTS: bigint;
  hpid: bigint;
}

/** No record in a SysFlow file: no later record refers to these entities, unless their records come again. */
export type EndedRecord =
  | { type: 'Ended'; entity: 'process'; oid: Oid }
  | { type: 'Ended'; entity: 'container'; id: string }
  /** All files that were given until now. */
  | { type: 'Ended'; entity: 'files' };

/** Identity of a file: SHA-1 over container id and path, as 40 hexadecimal digits. */
export type Foid = string;

/** CREATED: by the event of that time; MODIFIED: changed by it; REUP: known before, or written again. */
export type ObjectState = 'CREATED' | 'MODIFIED' | 'REUP';

/** First of every file and connection, and after each rotation. */
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
  /** What runs it: CT_DOCKER, CT_CONTAINERD and others. */
  containerType: string;
  privileged: boolean;
  podId: string | null;
}

export interface ProcessRecord {
  type: 'Process';
  state: ObjectState;
  oid: Oid;
  /** The parent; null when it is not known. */
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

/** A process was made, ran another program, ended or changed its user. */
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
  /** 4 or 6. SysFlow files have no room for 6; here they are. */
  family: 4 | 6;
  /** The address that the connection came from, and its port. */
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
  /** The flags of its open as the capture has them, 0 when that was not seen. */
  openFlags: number;
  endTs: bigint;
  fileOID: Foid;
  fd: number;
  numRRecvOps: bigint;
  numWSendOps: bigint;
  numRRecvBytes: bigint;
  numWSendBytes: bigint;
}

/** A file or directory was made, removed, linked or renamed. */
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

/** Threads that a process made and ended. */
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

/** Of SysFlow files of a cluster; captures give none. */
export interface PodRecord {
  type: 'Pod';
  ts: bigint;
  id: string;
  name: string;
  nodeName: string;
  namespace: string;
  restartCount: bigint;
}

/** Of SysFlow files of a cluster; captures give none. */
export interface K8sEventRecord {
  type: 'K8sEvent';
  kind: string;
  action: string;
  ts: bigint;
  message: string;
}

/** What others refer to; it comes before the first record that does. */
export type EntityRecord = HeaderRecord | ContainerRecord | ProcessRecord | FileRecord | PodRecord;
/** What happened. */
export type ActivityRecord =
  | ProcessEventRecord
  | NetworkFlowRecord
  | FileFlowRecord
  | FileEventRecord
  | ProcessFlowRecord
  | K8sEventRecord;
/** A record of a SysFlow file; `type` says which. */
export type SysFlowRecord = EntityRecord | ActivityRecord;
/** What a capture gives: records, and which entities ended. */
export type CaptureRecord = SysFlowRecord | EndedRecord;
