import type { ColumnBatch } from '../engine/batch.js';
import type { Codec, CollectorOptions, LiveConfig } from '../engine/config.js';
import {
  firstSecond,
  openRecords,
  type RecordBatch,
  releaseBatch,
  type Session,
  type Summary,
  type TallyRow,
} from '../engine/session.js';
import {
  deliveriesFor,
  type OutputPlans,
  openOutputs,
  type RecordOutput,
  sfNamesOf,
} from '../export/outputs.js';
import { type DescribeContainer, followContainers, followKubernetes } from './follow.js';
import type { KubernetesSettings } from './kubernetes/settings.js';
import { lineOutput } from './outputs.js';
import { type LivePlan, liveName } from './plan.js';

export interface LiveCaptureOptions extends CollectorOptions, Omit<OutputPlans, 'plans'> {
  /** Outputs of records. Without any and without a socket: follow the state only. */
  plans?: readonly LivePlan[] | undefined;
  /** Seconds of event time between headers, for files and the socket. Default: never. */
  rotateInterval?: number | undefined;
  /** Compression of .sf files. Default: deflate. */
  codec?: Codec | undefined;
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
  /** Paths of the complete outputs; '-' for standard output. */
  complete: string[];
}

/**
 * Captures the running kernel until `signal`. Resolves when everything is written; rejects if the
 * capture cannot start.
 */
export async function captureKernel(options: LiveCaptureOptions): Promise<CaptureEnd> {
  const { plans = [], socket, table, warn, lines, live, ...rest } = options;
  const { signal, drainSignal = signal, onTick, onBusiest, ...others } = rest;
  const { describeContainer, kubernetes, ...collector } = others;
  const filed = lines === undefined ? plans : plans.filter(({ output }) => output !== '-');
  const wanted = { plans: filed, socket, table, warn };
  const { tables, files, datums } = deliveriesFor(wanted);
  // Tables name the input. Records on a socket, and those of a .sf file, name the file.
  const names = sfNamesOf(filed) ?? { filename: tables.length > 0 || lines ? liveName : '' };
  const session = openRecords(
    {
      ...names,
      ...collector,
      input: liveName,
      kind: 'live',
      live,
      tallies: onBusiest !== undefined,
    },
    { tables: lines ? [...new Set([...tables, 'sysflow' as const])] : tables, files, datums },
  );
  const ended = new AbortController();
  const endsByItself = ({ live: { events, recordingFailure } }: Summary) =>
    recordingFailure !== '' || (live?.maxEvents !== undefined && events >= BigInt(live.maxEvents));
  const draining =
    drainSignal === undefined ? ended.signal : AbortSignal.any([drainSignal, ended.signal]);
  return run(
    session,
    () => [
      ...openOutputs(wanted, {
        second: () => firstSecond(session, true),
        // Unfinished output is visible, and readable only by its owner: it contains data of other
        // programs.
        sink: { keeps: true, isPrivate: true, drainSignal: draining },
      }),
      ...(lines === undefined ? [] : [lineOutput(lines, draining)]),
    ],
    {
      signal,
      describeContainer,
      kubernetes,
      warn,
      onBusiest,
      onTick(summary: Summary) {
        onTick?.(summary);
        const isPaged = plans.some(({ output }) => output === '-');
        if (!isPaged && endsByItself(summary)) ended.abort();
      },
    },
  );
}

type Follow = Pick<
  LiveCaptureOptions,
  'signal' | 'describeContainer' | 'kubernetes' | 'warn' | 'onTick' | 'onBusiest'
>;

async function run(
  session: Session<RecordBatch>,
  open: () => RecordOutput[],
  { signal, describeContainer, kubernetes, warn, onTick, onBusiest }: Follow,
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
  let outputs: RecordOutput[] | undefined;
  let failed: { failure: unknown } | undefined;
  const fail = (error: unknown) => {
    failed ??= { failure: error };
    session.stop();
  };
  const abandoned = new Set<RecordOutput>();
  // After the failure of one output the capture ends, and the others are completed.
  const eachOutput = async (step: (output: RecordOutput) => Promise<void>) => {
    try {
      outputs ??= open();
    } catch (error) {
      fail(error);
      outputs = [];
    }
    for (const output of outputs) {
      if (abandoned.has(output)) continue;
      try {
        await step(output);
      } catch (error) {
        fail(error);
        abandoned.add(output);
        output.abandon();
      }
    }
  };
  try {
    for await (const batch of session) {
      await eachOutput((output) => output.write(batch));
      releaseBatch(batch);
    }
    await eachOutput((output) => output.finish());
  } catch (error) {
    session.close();
    for (const output of outputs ?? []) output.abandon();
    throw error;
  } finally {
    clearInterval(timer);
    cluster?.close();
    signal?.removeEventListener('abort', stop);
  }
  const summary = session.summary();
  const gaps = [
    ...summary.live.gaps,
    ...(outputs ?? []).flatMap((output) => output.gaps?.() ?? []),
  ];
  const complete = (outputs ?? []).filter((output) => !abandoned.has(output));
  return {
    summary: { ...summary, live: { ...summary.live, gaps } },
    ...failed,
    complete: complete.map(({ target }) => target),
  };
}
