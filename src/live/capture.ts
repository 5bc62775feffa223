import type { TableName } from '../engine/columns.gen.js';
import type { CollectorOptions, LiveConfig } from '../engine/config.js';
import type { NativeTallyRow } from '../engine/native.js';
import { openColumns, openDatums, openFiles, openState, type Session, type Summary } from '../engine/session.js';
import { type DescribeContainer, followContainers } from './follow.js';
import { avroOutput, type LiveOutput, tableOutput, tablesOf } from './outputs.js';
import { type LivePlan, liveName } from './plan.js';
import { socketOutput } from './socket-output.js';

export interface LiveCaptureOptions extends CollectorOptions {
  /** Where records go; without it the state is followed and no record is written. */
  plan?: LivePlan | undefined;
  /** Unix socket of kind SOCK_SEQPACKET to send records to, in place of a plan. */
  socket?: string | undefined;
  /** Told what the socket could not be given. */
  warn?: ((message: string) => void) | undefined;
  /** The table of an output that holds one. Default: sysflow, all events and flows. */
  table?: TableName | undefined;
  live?: LiveConfig | undefined;
  /** Ends the capture when it is aborted; what happened until then is written. */
  signal?: AbortSignal | undefined;
  /** Asked about each container that is met. It is not waited for. */
  describeContainer?: DescribeContainer | undefined;
  /** Called when the probe is at work, and then several times a second. */
  onTick?: ((summary: Summary) => void) | undefined;
  /** Called once a second with the busiest processes, files and connections of that second. */
  onBusiest?: ((rows: NativeTallyRow[], summary: Summary) => void) | undefined;
}

/** How often containers are looked for and onTick is called, in ms. */
const tick = 100;
const ticksPerTable = 10;
/** Rows of each kind. */
const busiest = 8;

/** Captures the running kernel until it is told to stop. Resolves when all is written. */
export async function captureKernel(options: LiveCaptureOptions): Promise<Summary> {
  const { plan, socket, warn, table, live, signal, describeContainer, onTick, onBusiest, ...collector } = options;
  const config = {
    filename: liveName,
    ...collector,
    input: liveName,
    kind: 'live' as const,
    live,
    tallies: onBusiest !== undefined,
    rotateInterval: plan?.rotate ?? 0,
  };
  const follow = { signal, describeContainer, onTick, onBusiest };
  if (socket !== undefined) return run(openDatums(config), () => socketOutput(socket, warn ?? (() => {})), follow);
  if (plan === undefined) return run(openState(config), noOutput, follow);
  if (plan.format === 'avro') return run(openFiles(config), () => avroOutput(plan), follow);
  const names = tablesOf(plan, table);
  return run(openColumns({ ...config, tables: names }), () => tableOutput(plan, names), follow);
}

const noOutput = (): LiveOutput<never> => ({ write: async () => {}, finish: async () => {}, abandon: () => {} });

async function run<Batch>(
  session: Session<Batch>,
  open: () => LiveOutput<Batch>,
  {
    signal,
    describeContainer,
    onTick,
    onBusiest,
  }: Pick<LiveCaptureOptions, 'signal' | 'describeContainer' | 'onTick' | 'onBusiest'>,
): Promise<Summary> {
  let output: LiveOutput<Batch> | undefined;
  const stop = () => {
    session.stop();
    output?.end?.();
  };
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted) stop();
  let ticks = 0;
  const timer = setInterval(() => {
    onTick?.(session.summary());
    if (++ticks % ticksPerTable === 0) onBusiest?.(session.takeBusiest(busiest), session.summary());
    if (describeContainer !== undefined) followContainers(session, describeContainer);
  }, tick);
  const second = () => Number(session.summary().tables.begins);
  try {
    for await (const batch of session) {
      output ??= open();
      if (signal?.aborted) output.end?.();
      await output.write(batch, second());
    }
    output ??= open();
    await output.finish(second());
  } catch (error) {
    session.close();
    output?.abandon();
    throw error;
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', stop);
  }
  const summary = session.summary();
  const gaps = [...summary.live.gaps, ...(output?.gaps?.() ?? [])];
  return { ...summary, live: { ...summary.live, gaps } };
}
