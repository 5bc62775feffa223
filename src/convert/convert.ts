import { basename } from 'node:path';
import type { TableName } from '../engine/columns.gen.js';
import type { CollectorOptions } from '../engine/config.js';
import { inputName, kindOf } from '../engine/input-kind.js';
import { openAvro, openColumns, type Session, type Summary } from '../engine/session.js';
import type { Conversion } from '../export/plan.js';
import { openSink } from '../export/sink.js';
import { openTables, tablesOf } from '../export/tables.js';
import { makeDirectory } from '../export/target.js';
import type { QueryInput } from '../query/inputs.js';

export interface ConvertOptions extends CollectorOptions {
  /** The table for an output that holds a single table. Default: sysflow, all events and flows. */
  table?: TableName | undefined;
  /** The files of a table input; undefined if the engine reads the input. */
  tables?: readonly QueryInput[] | undefined;
  /** Called after each batch with the summary so far. */
  onProgress?: ((summary: Summary) => void) | undefined;
}

/** Converts one input. The output gets its name when it is complete; on an error there is no output. */
export async function convert(conversion: Conversion, options: ConvertOptions = {}): Promise<Summary> {
  const { table, tables, onProgress, ...collector } = options;
  if (tables !== undefined) {
    const { convertTables } = await import('./convert-tables.js');
    return convertTables(conversion, tables, table, onProgress);
  }
  // The base name of the capture, so that the bytes depend on neither its directory nor the output's name.
  const { input } = conversion;
  const config = { filename: basename(inputName(input)), ...collector, input, kind: kindOf(input) };
  return conversion.format === 'avro'
    ? toAvro(conversion, config, onProgress)
    : toTables(conversion, config, table, onProgress);
}

type Config = CollectorOptions & { input: string; kind: 'auto' | 'capture' };
type Progress = ConvertOptions['onProgress'];

async function toAvro(conversion: Conversion, config: Config, onProgress: Progress): Promise<Summary> {
  const session = openAvro(config);
  return run(session, onProgress, () => {
    if (conversion.directory !== undefined) makeDirectory(conversion.directory);
    const sink = openSink(conversion.output);
    return { write: (bytes) => sink.write(bytes), finish: () => sink.close(), discard: () => sink.discard() };
  });
}

async function toTables(
  conversion: Conversion,
  config: Config,
  table: TableName | undefined,
  onProgress: Progress,
): Promise<Summary> {
  const wanted = tablesOf(conversion, table);
  return run(openColumns({ ...config, tables: wanted }), onProgress, () => {
    if (conversion.directory !== undefined) makeDirectory(conversion.directory);
    return openTables(conversion, wanted);
  });
}

interface Output<Batch> {
  write(batch: Batch): Promise<void>;
  finish(): Promise<void>;
  discard(): void;
}

/** Moves all batches into an output, which opens with the first batch: an unreadable input leaves no output. */
async function run<Batch>(
  session: Session<Batch>,
  onProgress: Progress,
  open: () => Output<Batch> | Promise<Output<Batch>>,
): Promise<Summary> {
  let output: Output<Batch> | undefined;
  try {
    const batches = await afterFirst(session);
    output = await open();
    for await (const batch of batches) {
      await output.write(batch);
      onProgress?.(session.summary());
    }
    await output.finish();
  } catch (error) {
    session.close();
    output?.discard();
    throw error;
  }
  return session.summary();
}

/** Waits for the first batch, then iterates over all of them. */
async function afterFirst<Batch>(session: Session<Batch>): Promise<AsyncIterable<Batch>> {
  const iterator = session[Symbol.asyncIterator]();
  let next: IteratorResult<Batch> | undefined = await iterator.next();
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const current = next ?? (await iterator.next());
        next = undefined;
        return current;
      },
      async return() {
        session.close();
        return { done: true, value: undefined };
      },
    }),
  };
}
