import { join } from 'node:path';
import { ColumnBatch } from '../engine/batch.js';
import type { TableName } from '../engine/columns.gen.js';
import type { Deliveries, RecordBatch } from '../engine/session.js';
import type { Gap } from '../engine/summary.js';
import { FileWriter, type SfNames, sfNames } from '../output/files.js';
import { withNewName } from '../output/pending.js';
import { type ByteSink, openSink, type SinkOptions } from '../output/sink.js';
import { socketOutput } from '../output/socket-output.js';
import { makeDirectory } from '../output/target.js';
import type { Conversion } from './plan.js';
import { openTables, type TableOutput, tablesOf } from './tables.js';

/** One of the outputs of a run. */
export interface RecordOutput {
  /** Its path; '-' for standard output. */
  readonly target: string;
  /** Writes a batch; ignores batches for other outputs. */
  write(batch: RecordBatch): Promise<void>;
  /** Completes the output; creates an empty one if there was no batch. */
  finish(): Promise<void>;
  /** Leaves the unfinished output as its options say. */
  abandon(): void;
  /** Records that were accepted but not delivered. */
  gaps?(): Gap[];
}

export interface OutputOptions {
  /** Seconds since 1970 of the first event or, without events, of now. Names the first rotation. */
  second(): number;
  sink?: SinkOptions | undefined;
}

/** The outputs of a run. */
export interface OutputPlans {
  plans: readonly Conversion[];
  /** Unix socket of type SOCK_SEQPACKET that gets the records one by one. */
  socket?: string | undefined;
  /** The table for outputs with a single table. Default: sysflow, all events and flows. */
  table?: TableName | undefined;
  /** Called with messages about the socket. */
  warn?: ((message: string) => void) | undefined;
}

/** What the engine delivers for these outputs. */
export function deliveriesFor({ plans, socket, table }: OutputPlans): Deliveries {
  const tables = plans
    .filter(({ format }) => format !== 'avro')
    .flatMap((plan) => tablesOf(plan, table));
  return {
    tables: [...new Set(tables)],
    files: plans.some(({ format }) => format === 'avro'),
    datums: socket !== undefined,
  };
}

/** The names of the .sf files among the outputs; undefined if there is no such file. */
export function sfNamesOf(plans: readonly Conversion[]): SfNames | undefined {
  const plan = plans.find(({ format, output }) => format === 'avro' && output !== '-');
  return plan === undefined ? undefined : sfNames(plan.output, plan.rotate ?? 0);
}

/** Opens the outputs; those of tables create their files with the first batch. */
export function openOutputs(
  { plans, socket, table, warn = () => {} }: OutputPlans,
  options: OutputOptions,
): RecordOutput[] {
  const outputs = plans.map((plan) =>
    plan.format === 'avro'
      ? avroOutput(plan, options)
      : tableOutput(plan, tablesOf(plan, table), options),
  );
  if (socket !== undefined) {
    const sender = socketOutput(socket, warn, options.sink?.drainSignal);
    const write = async (batch: RecordBatch) => {
      if (!(batch instanceof ColumnBatch) && batch.kind === 'datums') await sender.write(batch);
    };
    outputs.push({ ...sender, target: socket, write });
  }
  return outputs;
}

/** SysFlow files: one, or one per rotation. */
function avroOutput(plan: Conversion, { sink: options }: OutputOptions): RecordOutput {
  if (plan.directory !== undefined) makeDirectory(plan.directory);
  const files = plan.rotate ? new FileWriter(plan.output, plan.rotate, options) : undefined;
  let single: ByteSink | undefined;
  const open = () => {
    single ??= openSink(plan.output, options);
    return single;
  };
  return {
    target: plan.output,
    async write(batch) {
      if (batch instanceof ColumnBatch || batch.kind !== 'bytes') return;
      const { bytes, file = 0, name = '' } = batch;
      if (files === undefined) await open().write(bytes);
      else await files.write(bytes, file, name);
    },
    finish: () => (files === undefined ? open().close() : files.close()),
    abandon() {
      files?.discard();
      single?.discard();
    },
  };
}

/** Tables: in one place, or in one directory per rotation. */
function tableOutput(
  plan: Conversion,
  names: readonly TableName[],
  { second, sink }: OutputOptions,
): RecordOutput {
  let output: TableOutput | undefined;
  let file = 0;
  const open = async (startSeconds: number) => {
    if (output !== undefined) return output;
    const make = (target: string, isNew: boolean) =>
      openTables({ ...plan, output: target }, names, { ...sink, isNew });
    if (plan.directory !== undefined) makeDirectory(plan.directory);
    if (!plan.rotate) {
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
    target: plan.output,
    async write(batch) {
      if (!(batch instanceof ColumnBatch) || !names.includes(batch.table)) return;
      if (plan.rotate && batch.file !== file) {
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

/** The directory of one rotation: its name is the first second, in a form that sorts by time. */
export function rotationDirectory(parent: string, second: number): string {
  const time = new Date(second * 1000).toISOString().replace(/[-:]|\.\d+/g, '');
  return join(parent, time);
}
