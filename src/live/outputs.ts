import { mkdirSync } from 'node:fs';
import { FileWriter } from '../driver/files.js';
import type { ColumnBatch } from '../engine/batch.js';
import { type TableName, tables } from '../engine/columns.gen.js';
import { unwritable } from '../engine/errors.js';
import type { NativeBytesBatch, NativeGap } from '../engine/native.js';
import { type ByteSink, openSink } from '../export/sink.js';
import { openTables, type TableOutput } from '../export/tables.js';
import { type LivePlan, rotationDirectory } from './plan.js';

/** Takes the batches of a live capture. `second`: since 1970, of the first event. */
export interface LiveOutput<Batch> {
  write(batch: Batch, second: number): Promise<void>;
  /** The capture is to end: who takes nothing any more is not waited for. */
  end?(): void;
  /** Completes what is under way; without any batch an empty output is made. */
  finish(second: number): Promise<void>;
  /** Leaves what was written as it is. */
  abandon(): void;
  /** What was taken and could not be handed on. */
  gaps?(): NativeGap[];
}

/** The tables that an output of tables holds. */
export function tablesOf(plan: LivePlan, table: TableName | undefined): TableName[] {
  if (plan.shape !== 'directory') return [table ?? 'sysflow'];
  return tables.filter((spec) => spec.kind !== 'all').map((spec) => spec.name);
}

/** SysFlow files: one, or one after the other. Under way they are called NAME.part. */
export function avroOutput(plan: LivePlan): LiveOutput<NativeBytesBatch> {
  if (plan.directory !== undefined) makeDirectory(plan.directory);
  if (plan.rotate === 0) return singleAvro(plan);
  const files = new FileWriter({ filePath: plan.output, rotateInterval: plan.rotate }, true);
  return {
    write: ({ bytes, file = 0, begins = 0 }, second) => files.write(bytes, file, begins, second),
    finish: () => files.close(),
    abandon: () => files.discard(),
  };
}

function singleAvro(plan: LivePlan): LiveOutput<NativeBytesBatch> {
  let sink: ByteSink | undefined;
  const open = () => {
    sink ??= openSink(plan.output, { keeps: true });
    return sink;
  };
  return {
    write: ({ bytes }) => open().write(bytes),
    finish: () => open().close(),
    abandon: () => sink?.discard(),
  };
}

/** Tables: in one place, or in a directory for each rotation. */
export function tableOutput(plan: LivePlan, names: readonly TableName[]): LiveOutput<ColumnBatch> {
  let output: TableOutput | undefined;
  let file = 0;
  const open = async (second: number) => {
    if (output !== undefined) return output;
    // Without any event there is no time but the clock's.
    const first = second || Math.floor(Date.now() / 1000);
    const target = plan.rotate === 0 ? plan.output : rotationDirectory(plan.output, first);
    if (plan.rotate !== 0) makeDirectory(plan.output);
    output = await openTables({ ...plan, output: target }, names, { keeps: true });
    return output;
  };
  return {
    async write(batch, second) {
      if (batch.file !== file) {
        await output?.finish();
        output = undefined;
        file = batch.file;
      }
      await (await open(batch.begins || second)).write(batch);
    },
    async finish(second) {
      await (await open(second)).finish();
    },
    abandon: () => output?.discard(),
  };
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw unwritable(path, error);
  }
}
