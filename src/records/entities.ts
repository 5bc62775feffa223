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

/** An event or flow with the records that it refers to; null if the input lacks them. */
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
 * Keeps the newest record of each entity, and joins events and flows with them. Pass every record
 * of a capture, so that the table holds only live entities.
 */
export class EntityTable {
  #header: HeaderRecord | null = null;
  readonly #containers = new Map<string, ContainerRecord>();
  readonly #processes = new Map<string, ProcessRecord>();
  readonly #files = new Map<string, FileRecord>();

  /** Number of entities in the table. */
  get size(): number {
    return this.#containers.size + this.#processes.size + this.#files.size;
  }

  /**
   * Takes the next record. Returns an event or flow joined with its entities, undefined for any
   * other record.
   */
  take(record: CaptureRecord): Joined | undefined {
    switch (record.type) {
      case 'Header':
        // After a header, entities are written again.
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
    else if (ended.entity === 'process') this.#processes.delete(processKey(ended.oid));
  }

  #join(record: ActivityRecord): Joined {
    const process =
      'procOID' in record ? (this.#processes.get(processKey(record.procOID)) ?? null) : null;
    const container = process?.containerId
      ? (this.#containers.get(process.containerId) ?? null)
      : null;
    const file = (oid: string | null) => (oid === null ? null : (this.#files.get(oid) ?? null));
    const file1 = 'fileOID' in record ? file(record.fileOID) : null;
    const file2 = record.type === 'FileEvent' ? file(record.newFileOID) : null;
    return { header: this.#header, container, process, file1, file2, record };
  }
}

/** A process's identity as a map key. */
export function processKey({ createTS, hpid }: Oid): string {
  return `${createTS} ${hpid}`;
}
