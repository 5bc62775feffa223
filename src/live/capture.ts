import type { ColumnBatch } from '../engine/batch.js';
import type { TableName } from '../engine/columns.gen.js';
import type { CollectorOptions, LiveConfig } from '../engine/config.js';
import type { TallyRow } from '../engine/session.js';
import {
  firstSecond,
  openColumns,
  openDatums,
  openFiles,
  openState,
  type Session,
  type Summary,
} from '../engine/session.js';
import { tablesOf } from '../export/tables.js';
import { type DescribeContainer, followContainers, followKubernetes } from './follow.js';
import type { KubernetesSettings } from './kubernetes/settings.js';
import {
  avroOutput,
  type LiveOutput,
  type LiveOutputOptions,
  lineOutput,
  tableOutput,
} from './outputs.js';
import { type LivePlan, liveName } from './plan.js';
import { socketOutput } from './socket-output.js';

export interface LiveCaptureOptions extends CollectorOptions {
  /** Output of records. Default: follow the state and write no records. */
  plan?: LivePlan | undefined;
  /** Unix socket of type SOCK_SEQPACKET to send records to, instead of a plan. */
  socket?: string | undefined;
  /** Called with messages about the socket and the Kubernetes API. */
  warn?: ((message: string) => void) | undefined;
  /** The table for an output that holds a single table. Default: sysflow, all events and flows. */
  table?: TableName | undefined;
  /**
   * Standard output gets these lines for each batch of events and flows, instead of the format of
   * the plan.
   */
  lines?: ((batch: ColumnBatch) => Iterable<string>) | undefined;
  live?: LiveConfig | undefined;
  /** Aborting it ends the capture; everything until then is written. */
  signal?: AbortSignal | undefined;
  /**
   * Aborting it limits the wait for readers of a pipe or socket that take nothing to some seconds.
   * Default: signal. A capture that ends by itself does the same, except for readers of standard
   * output.
   */
  drainSignal?: AbortSignal | undefined;
  /** Called for each new container; the capture does not wait for it. */
  describeContainer?: DescribeContainer | undefined;
  /** The Kubernetes API to ask about pods and services; the capture does not wait for it. */
  kubernetes?: KubernetesSettings | undefined;
  /** Called when the probe runs, and then several times a second. */
  onTick?: ((summary: Summary) => void) | undefined;
  /** Called once a second with the busiest processes, files and connections of that second. */
  onBusiest?: ((rows: TallyRow[], summary: Summary) => void) | undefined;
}

/** Time between searches for new containers and calls of onTick, in ms. */
const tick = 100;
const ticksPerTable = 10;
/** Maximum rows of each kind. */
const busiest = 8;

export interface CaptureEnd {
  summary: Summary;
  /** Why writing records failed, which ended the capture; everything until then is complete. */
  failure?: unknown;
}

/**
 * Captures the running kernel until `signal`. Resolves when everything is written; rejects if the
 * capture cannot start.
 */
export async function captureKernel(options: LiveCaptureOptions): Promise<CaptureEnd> {
  const { plan, socket, warn, table, lines, live, ...rest } = options;
  const { signal, drainSignal = signal, onTick, onBusiest, ...others } = rest;
  const { describeContainer, kubernetes, ...collector } = others;
  const config = {
    filename: liveName,
    ...collector,
    input: liveName,
    kind: 'live' as const,
    live,
    tallies: onBusiest !== undefined,
    rotateInterval: plan?.rotate ?? 0,
  };
  const ended = new AbortController();
  const endsByItself = ({ live: { events, recordingFailure } }: Summary) =>
    recordingFailure !== '' || (live?.maxEvents !== undefined && events >= BigInt(live.maxEvents));
  const follow = {
    signal,
    drainSignal:
      drainSignal === undefined ? ended.signal : AbortSignal.any([drainSignal, ended.signal]),
    describeContainer,
    kubernetes,
    warn,
    onBusiest,
    onTick(summary: Summary) {
      onTick?.(summary);
      if (plan?.output !== '-' && endsByItself(summary)) ended.abort();
    },
  };
  if (socket !== undefined)
    return run(
      openDatums(config),
      (options) => socketOutput(socket, warn ?? (() => {}), options.drainSignal),
      follow,
    );
  if (plan === undefined) return run(openState(config), noOutput, follow);
  if (lines !== undefined)
    return run(
      openColumns({ ...config, tables: ['sysflow'] }),
      (options) => lineOutput(lines, options),
      follow,
    );
  if (plan.format === 'avro')
    return run(openFiles(config), (options) => avroOutput(plan, options), follow);
  const names = tablesOf(plan, table);
  return run(
    openColumns({ ...config, tables: names }),
    (options) => tableOutput(plan, names, options),
    follow,
  );
}

const noOutput = (): LiveOutput<never> => ({
  write: async () => {},
  finish: async () => {},
  abandon: () => {},
});

type Follow = Pick<
  LiveCaptureOptions,
  'signal' | 'drainSignal' | 'describeContainer' | 'kubernetes' | 'warn' | 'onTick' | 'onBusiest'
>;

async function run<Batch>(
  session: Session<Batch>,
  open: (options: LiveOutputOptions) => LiveOutput<Batch>,
  { signal, drainSignal, describeContainer, kubernetes, warn, onTick, onBusiest }: Follow,
): Promise<CaptureEnd> {
  const stop = () => session.stop();
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted) stop();
  let ticks = 0;
  const timer = setInterval(() => {
    onTick?.(session.summary());
    if (++ticks % ticksPerTable === 0) onBusiest?.(session.takeBusiest(busiest), session.summary());
    if (describeContainer !== undefined) followContainers(session, describeContainer);
  }, tick);
  const cluster = kubernetes && followKubernetes(session, kubernetes, warn ?? (() => {}));
  const second = () => firstSecond(session, true);
  let output: LiveOutput<Batch> | undefined;
  let failed: { failure: unknown } | undefined;
  const attempt = async (step: (opened: LiveOutput<Batch>) => Promise<void>) => {
    if (failed !== undefined) return;
    try {
      output ??= open({ second, drainSignal });
      await step(output);
    } catch (error) {
      failed = { failure: error };
      session.stop();
    }
  };
  try {
    for await (const batch of session) await attempt((opened) => opened.write(batch));
    await attempt((opened) => opened.finish());
  } catch (error) {
    session.close();
    failed ??= { failure: error };
    throw error;
  } finally {
    clearInterval(timer);
    cluster?.close();
    signal?.removeEventListener('abort', stop);
    if (failed !== undefined) output?.abandon();
  }
  const summary = session.summary();
  const gaps = [...summary.live.gaps, ...(output?.gaps?.() ?? [])];
  return { summary: { ...summary, live: { ...summary.live, gaps } }, ...failed };
}
