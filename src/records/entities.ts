import type {
  ActivityRecord,
  CaptureRecord,
  ContainerRecord,
  EndedRecord,
  FileRecord,
  HeaderRecord,
  Oid,
  ProcessRecord,
} from './types.js';

/** An event or flow with the records that it refers to; null where the input does not have them. */
export interface Joined {
  header: HeaderRecord | null;
  container: ContainerRecord | null;
  process: ProcessRecord | null;
  /** The file of a file flow or file event. */
  file1: FileRecord | null;
  /** The second file of link, symlink and rename. */
  file2: FileRecord | null;
  record: ActivityRecord;
}

/**
 * Keeps the newest record of everything that can be referred to, and joins events and flows with it. Give it everything
 * that a capture gives: then it holds no more than what is alive.
 */
export class EntityTable {
  #header: HeaderRecord | null = null;
  readonly #containers = new Map<string, ContainerRecord>();
  readonly #processes = new Map<string, ProcessRecord>();
  readonly #files = new Map<string, FileRecord>();

  /** Entities that it holds. */
  get size(): number {
    return this.#containers.size + this.#processes.size + this.#files.size;
  }

  /** Takes the next record. An event or flow comes back with what it refers to, and nothing for others. */
  take(record: CaptureRecord): Joined | undefined {
    switch (record.type) {
      case 'Header':
        // What follows a header makes sense without what came before.
        this.#header = record;
        this.#containers.clear();
        this.#processes.clear();
        this.#files.clear();
        return;
      case 'Container':
        this.#containers.set(record.id, record);
        return;
      case 'Process':
        this.#processes.set(processKey(record.oid), record);
        return;
      case 'File':
        this.#files.set(record.oid, record);
        return;
      case 'Pod':
        return;
      case 'Ended':
        this.#forget(record);
        return;
      default:
        return this.#join(record);
    }
  }

  #forget(ended: EndedRecord): void {
    if (ended.entity === 'files') this.#files.clear();
    else if (ended.entity === 'container') this.#containers.delete(ended.id);
    else this.#processes.delete(processKey(ended.oid));
  }

  #join(record: ActivityRecord): Joined {
    const process = 'procOID' in record ? (this.#processes.get(processKey(record.procOID)) ?? null) : null;
    const container = process?.containerId ? (this.#containers.get(process.containerId) ?? null) : null;
    const file = (oid: string | null) => (oid === null ? null : (this.#files.get(oid) ?? null));
    const file1 = 'fileOID' in record ? file(record.fileOID) : null;
    const file2 = record.type === 'FileEvent' ? file(record.newFileOID) : null;
    return { header: this.#header, container, process, file1, file2, record };
  }
}

/** A process's identity as a key of maps. */
export function processKey({ createTS, hpid }: Oid): string {
  return `${createTS} ${hpid}`;
}
