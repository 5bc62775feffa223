import type { TableName } from '../engine/columns.gen.js';
import type { Codec } from '../engine/config.js';
import { SfkitError } from '../engine/errors.js';
import type { Summary } from '../engine/session.js';
import type { Conversion } from '../export/plan.js';
import { openTables, type TableOutput, tablesOf } from '../export/tables.js';
import { openSink } from '../output/sink.js';
import { makeDirectory } from '../output/target.js';
import type { QueryInput } from '../query/inputs.js';
import { rebuildSysflow } from './rebuild.js';
import { TableInput } from './table-input.js';
import { BatchBuilder } from './table-rows.js';

/** Converts tables in files, row by row: memory does not grow with the input. */
export async function convertTables(
  conversion: Conversion,
  files: readonly QueryInput[],
  { table, codec }: { table: TableName | undefined; codec: Codec | undefined },
  onProgress: ((summary: Summary) => void) | undefined,
): Promise<Summary> {
  const input = await TableInput.open(conversion.input, files);
  try {
    if (conversion.format === 'avro') await toSysflow(conversion, input, codec, onProgress);
    else await toTables(conversion, input, table, onProgress);
    return input.summary();
  } catch (error) {
    throw input.problem(error);
  } finally {
    input.close();
  }
}

async function toTables(
  conversion: Conversion,
  input: TableInput,
  table: TableName | undefined,
  onProgress: ((summary: Summary) => void) | undefined,
): Promise<void> {
  // An input with one table gives an output with that table.
  const wanted = tablesOf(conversion, table ?? input.onlyTable);
  if (!wanted.some((name) => input.covers(name))) {
    throw new SfkitError(
      'INPUT_NOT_SUPPORTED',
      `${conversion.input}: it has no table ${wanted[0]}; it has ${input.tableNames.join(', ')}`,
    );
  }
  input.compareColumns(wanted);
  let output: TableOutput | undefined;
  const open = () => {
    if (conversion.directory !== undefined) makeDirectory(conversion.directory);
    return openTables(conversion, wanted);
  };
  try {
    for (const name of wanted) {
      const builder = new BatchBuilder(name);
      const rows = await input.rows(name);
      try {
        for (let cursor = await rows.next(); cursor !== undefined; cursor = await rows.next()) {
          input.count(name, cursor);
          builder.add(cursor);
          if (!builder.isFull) continue;
          output ??= await open();
          await output.write(builder.take());
          onProgress?.(input.summary());
        }
      } finally {
        rows.close();
      }
      // Opened with the first rows: an unreadable input leaves no output.
      output ??= await open();
      if (!builder.isEmpty) await output.write(builder.take());
    }
    await output?.finish();
  } catch (error) {
    output?.discard();
    throw error;
  }
}

async function toSysflow(
  conversion: Conversion,
  input: TableInput,
  codec: Codec | undefined,
  onProgress: ((summary: Summary) => void) | undefined,
): Promise<void> {
  if (conversion.directory !== undefined) makeDirectory(conversion.directory);
  const sink = openSink(conversion.output);
  try {
    for await (const bytes of rebuildSysflow(input, codec)) {
      await sink.write(bytes);
      onProgress?.(input.summary());
    }
    await sink.close();
  } catch (error) {
    sink.discard();
    throw error;
  }
}
