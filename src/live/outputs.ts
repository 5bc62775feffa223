import type { ColumnBatch } from '../engine/batch.js';
import type { TableName } from '../engine/columns.gen.js';
import type { BytesBatch } from '../engine/session.js';
import type { Gap } from '../engine/summary.js';
import { openTables, type TableOutput } from '../export/tables.js';
import { FileWriter } from '../output/files.js';
import { withNewName } from '../output/pending.js';
import { type ByteSink, openSink, stdoutSink } from '../output/sink.js';
import { makeDirectory } from '../output/target.js';
import { type LivePlan, rotationDirectory } from './plan.js';

/** Writes the batches of a live capture. */
export interface LiveOutput<Batch> {
  write(batch: Batch): Promise<void>;
  /** Completes the output; creates an empty one if there was no batch. */
  finish(): Promise<void>;
  /** Leaves the unfinished output as it is. */
  abandon(): void;
  /** Records that were accepted but not delivered. */
  gaps?(): Gap[];
}

export interface LiveOutputOptions {
  /** Seconds since 1970 of the first event or, without events, of now. Names the first rotation. */
  second(): number;
  /** As SinkOptions.drainSignal. */
  drainSignal?: AbortSignal | undefined;
}

/**
 * Unfinished output is visible, and readable only by its owner: it contains data of other programs.
 */
const kept = { keeps: true, isPrivate: true } as const;

/** SysFlow files: one, or one per rotation. Unfinished, they are called NAME.part. */
export function avroOutput(plan: LivePlan, options: LiveOutputOptions): LiveOutput<BytesBatch> {
  if (plan.directory !== undefined) makeDirectory(plan.directory);
  if (plan.rotate === 0) return singleAvro(plan, options);
  const files = new FileWriter({ filePath: plan.output, rotateInterval: plan.rotate }, kept);
  return {
    write: ({ bytes, file = 0, startSeconds = 0 }) =>
      files.write(bytes, file, startSeconds || options.second),
    finish: () => files.close(),
    abandon: () => files.discard(),
  };
}

function singleAvro(plan: LivePlan, { drainSignal }: LiveOutputOptions): LiveOutput<BytesBatch> {
  let sink: ByteSink | undefined;
  const open = () => {
    sink ??= openSink(plan.output, { ...kept, drainSignal });
    return sink;
  };
  return {
    write: ({ bytes }) => open().write(bytes),
    finish: () => open().close(),
    abandon: () => sink?.discard(),
  };
}

/** Lines of text for a person at standard output. */
export function lineOutput(
  toLines: (batch: ColumnBatch) => Iterable<string>,
  { drainSignal }: LiveOutputOptions,
): LiveOutput<ColumnBatch> {
  const sink = stdoutSink(drainSignal);
  return {
    async write(batch) {
      const text = [...toLines(batch)].join('');
      if (text !== '') await sink.write(text);
    },
    finish: () => sink.close(),
    abandon: () => sink.discard(),
  };
}

/** Tables: in one place, or in one directory per rotation. */
export function tableOutput(
  plan: LivePlan,
  names: readonly TableName[],
  { second, drainSignal }: LiveOutputOptions,
): LiveOutput<ColumnBatch> {
  let output: TableOutput | undefined;
  let file = 0;
  const open = async (startSeconds: number) => {
    if (output !== undefined) return output;
    const make = (target: string, isNew: boolean) =>
      openTables({ ...plan, output: target }, names, { ...kept, drainSignal, isNew });
    if (plan.rotate === 0) {
      output = await make(plan.output, false);
    } else {
      makeDirectory(plan.output);
      output = await withNewName(rotationDirectory(plan.output, startSeconds || second()), (name) =>
        make(`${name}/`, true),
      );
    }
    return output;
  };
  return {
    async write(batch) {
      if (batch.file !== file) {
        await output?.finish();
        output = undefined;
        file = batch.file;
      }
      await (await open(batch.startSeconds)).write(batch);
    },
    async finish() {
      await (await open(0)).finish();
    },
    abandon: () => output?.discard(),
  };
}
