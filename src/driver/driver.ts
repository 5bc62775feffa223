import { EventEmitter } from 'node:events';
import { loadAddon } from '../engine/addon.js';
import { type Environment, toNativeConfig } from '../engine/config.js';
import { SfkitError } from '../engine/errors.js';
import { type DatumBatch, openDatums, type Session, type Summary } from '../engine/session.js';
import type { TableSizes } from '../engine/summary.js';
import { SysFlowError } from '../engine/sysflow-errors.js';
import { probeErrorCode } from '../live/doctor.js';
import { followContainers, followKubernetes } from '../live/follow.js';
import { type KubernetesSettings, kubernetesSettings } from '../live/kubernetes/settings.js';
import { watchContainers } from '../live/runtimes/watcher.js';
import { FileWriter } from '../output/files.js';
import { type Log, openLog } from '../output/log.js';
import { SocketWriter } from '../output/socket.js';
import { decodeBatch } from '../records/decode.js';
import { EntityTable } from '../records/entities.js';
import type { HeaderRecord, SysFlowRecord } from '../records/types.js';
import { engineOptions, type ResolvedConfig, resolveConfig, type SysFlowConfig } from './config.js';
import { withEnvironment } from './environment.js';
import { checkProbe } from './probe.js';

/** The summary of a run, so far or at its end. */
export interface RunSummary extends Summary {
  /** The .sf files that are complete. */
  files: string[];
  /** Records sent to the socket, and records dropped; null without a socket. */
  socket: { sent: number; dropped: number; droppedIpv6: number } | null;
}

/** Table sizes and record counts, for `enableStats`. */
export interface Statistics {
  /** interval: 30 seconds passed; rotation: a new header follows; end: the input is read. */
  reason: 'interval' | 'rotation' | 'end';
  /**
   * Live entities and flows at the engine's position, which is slightly ahead; at the end, before
   * the last flows are written.
   */
  tables: TableSizes;
  /** Records delivered so far, including headers. */
  records: bigint;
  /** Records dropped because the socket had no reader in time. */
  dropped: number;
}

/** The parts of a run and its progress. */
interface Run {
  readonly log: Log;
  readonly session: ReturnType<typeof openDatums>;
  readonly files: FileWriter | undefined;
  readonly socket: SocketWriter | undefined;
  readonly entities: EntityTable | undefined;
  headers: number;
  /** Records delivered so far, including headers. */
  records: bigint;
  /** The first error that ends the run. */
  failure: { readonly error: unknown } | undefined;
}

const statisticsInterval = 30_000;
/** Time between searches for new containers, in ms. */
const containerInterval = 100;

/**
 * Converts a capture or the running kernel to SysFlow, like libSysFlow: a configuration, a
 * callback, `run()`. Environment variables override the configuration (ENABLE_STATS, FILE_ONLY,
 * FILE_READ_MODE, ENABLE_PROC_FLOW, ENABLE_DROP_MODE, NODE_IP, DRIVER_LOG, SF_K8S_API_URL,
 * SF_K8S_API_CERT); HOST_ROOT names the directory with the files of the host. With `enableStats` it emits `statistics` with a Statistics.
 */
export class SysFlowDriver extends EventEmitter<{ statistics: [Statistics] }> {
  /** The configuration with defaults and overrides from the environment. */
  readonly config: Readonly<ResolvedConfig>;
  readonly #env: Environment;
  readonly #kubernetes: KubernetesSettings | undefined;
  /** Directory with the files of the host. */
  readonly #hostRoot: string | undefined;
  /** Messages of the constructor, for the log. */
  readonly #warnings: string[] = [];
  #session: Session<unknown> | undefined;
  #socket: SocketWriter | undefined;
  #ran = false;
  #exits = false;
  /** Aborted when the driver stops waiting for readers that take nothing. */
  readonly #drain = new AbortController();

  /**
   * Throws a SysFlowError for a wrong configuration or filter, and if a requirement of live capture
   * is missing.
   */
  constructor(config: SysFlowConfig, env: Environment = process.env) {
    super();
    this.#env = env;
    const warn = (message: string) => this.#warnings.push(message);
    const { config: overridden, hostRoot, bpfProbe } = withEnvironment(config, env, warn);
    this.config = resolveConfig(overridden);
    this.#hostRoot = hostRoot;
    guarded(() => toNativeConfig({ ...engineOptions(this.config, hostRoot), output: 'datums' }));
    if (this.config.scapInputPath === '') {
      const { k8sAPIURL: url, k8sAPICert: cert } = this.config;
      this.#kubernetes = guarded(() => kubernetesSettings({ url, cert, env }));
      const { driverType, moduleChecks } = this.config;
      if (moduleChecks) checkProbe(driverType, { bpfProbe, hostRoot, home: env.HOME });
      if (driverType !== 'CORE_EBPF')
        warn(`driverType ${driverType}: sfkit captures with its own probe instead`);
    }
  }

  /** Version of sfkit. */
  get version(): string {
    return loadAddon().version;
  }

  /**
   * Reads the capture to its end or until exit(); a live capture runs until exit(). Resolves when
   * every record is delivered and written. Rejects with the error that the callback threw, else
   * with a SysFlowError; written records stay. Damage in the capture rejects with EventParsingError
   * after everything readable is delivered. Aborting `signal` is the same as exit().
   */
  async run({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<RunSummary> {
    if (this.#ran)
      throw new SysFlowError(
        'OperationNotSupported',
        'run() was already called; create a driver for each run',
      );
    this.#ran = true;
    const { config } = this;
    const exit = () => this.exit();
    signal?.addEventListener('abort', exit, { once: true });
    if (signal?.aborted) exit();
    const log = openLog({ name: config.appName, debug: config.debugMode }, this.#env);
    for (const message of this.#warnings) log.warning('driver', message);
    try {
      return await this.#run(log);
    } finally {
      signal?.removeEventListener('abort', exit);
      await log.close();
    }
  }

  /** Ends the run: everything read so far is delivered and written, then run() resolves. */
  exit(): void {
    this.#exits = true;
    this.#session?.stop();
    this.#socket?.end();
    this.#drain.abort();
  }

  async #run(log: Log): Promise<RunSummary> {
    const run = this.#start(log);
    const { session, files, socket } = run;
    const isLive = this.config.scapInputPath === '';
    const timer = setInterval(() => this.#report(run, 'interval'), statisticsInterval);
    timer.unref();
    const containers = isLive ? this.#followContainers(session) : undefined;
    const warn = (message: string) => log.warning('driver', message);
    const cluster = this.#kubernetes && followKubernetes(session, this.#kubernetes, warn);

    log.verbose(1, 'driver', `reading ${this.config.scapInputPath || 'the running kernel'}`);
    try {
      for await (const batch of session) {
        if (batch.kind === 'bytes') {
          const { file = 0, name = '', bytes } = batch;
          await files?.write(bytes, file, name);
        } else if (run.failure === undefined) {
          await this.#deliver(run, batch);
        }
      }
      this.#report(run, 'end');
      await files?.close();
      if (run.failure === undefined) await socket?.close();
      else socket?.discard();
    } catch (error) {
      session.close();
      files?.discard();
      socket?.discard();
      // An error of the callback takes precedence.
      if (run.failure !== undefined) throw run.failure.error;
      const known = isLive ? asLiveError(error) : asSysFlowError(error);
      log.verbose(1, 'driver', known.message);
      throw known;
    } finally {
      clearInterval(timer);
      containers?.end();
      cluster?.close();
    }
    if (run.failure !== undefined) throw run.failure.error;
    return this.#summarize(run);
  }

  #start(log: Log): Run {
    const { config } = this;
    // A live capture can take long: its unfinished output is visible, and stays whatever happens.
    // It contains data of other programs, so only its owner can read it.
    const files =
      config.filePath === ''
        ? undefined
        : new FileWriter(config.filePath, config.rotateInterval, {
            keeps: config.scapInputPath === '',
            isPrivate: config.scapInputPath === '',
            drainSignal: this.#drain.signal,
          });
    const socket = config.socketPath === '' ? undefined : new SocketWriter(config.socketPath, log);
    this.#socket = socket;
    const entities = config.callback === undefined ? undefined : new EntityTable();
    const session = openDatums(engineOptions(config, this.#hostRoot));
    this.#session = session;
    if (this.#exits) this.exit();
    return { log, session, files, socket, entities, headers: 0, records: 0n, failure: undefined };
  }

  /** Passes the records of a batch to the callback and the socket. */
  async #deliver(run: Run, batch: DatumBatch): Promise<void> {
    const { entities, socket } = run;
    run.log.verbose(2, 'driver', `${batch.ends.length} records`);
    try {
      for (const item of decodeBatch(batch)) {
        if ('ended' in item) {
          entities?.take(item.ended);
          socket?.forget(item.ended);
          continue;
        }
        if (item.record.type === 'Header' && run.headers++ > 0) this.#report(run, 'rotation');
        run.records += 1n;
        await this.#call(entities, item.record);
        await socket?.write(item);
      }
    } catch (error) {
      fail(run, error);
    }
  }

  /** The result of a complete run. Throws a SysFlowError if the capture was damaged. */
  #summarize({ log, session, files, socket }: Run): RunSummary {
    const summary = session.summary();
    const counts = socket && {
      sent: socket.sent,
      dropped: socket.dropped,
      droppedIpv6: socket.droppedIpv6,
    };
    log.verbose(1, 'driver', `read ${summary.events} events`);
    const damage = summary.damage[0];
    if (damage !== undefined) {
      const message = `${this.config.scapInputPath}: damaged at byte ${damage.offset}: ${damage.message}; everything readable was delivered`;
      log.verbose(1, 'driver', message);
      throw new SysFlowError('EventParsingError', message);
    }
    return { ...summary, files: files?.written ?? [], socket: counts ?? null };
  }

  #followContainers(session: Session<unknown>): { end(): void } {
    const { criPath, criTO } = this.config;
    const watcher = watchContainers({
      criPath: criPath || undefined,
      timeout: criTO,
      hostRoot: this.#hostRoot,
    });
    const timer = setInterval(() => followContainers(session, watcher.describe), containerInterval);
    timer.unref();
    return {
      end() {
        clearInterval(timer);
        watcher.close();
      },
    };
  }

  async #call(entities: EntityTable | undefined, record: SysFlowRecord): Promise<void> {
    // As in libSysFlow, which passes only events and flows of processes.
    if (record.type === 'K8sEvent') return;
    const joined = entities?.take(record);
    if (joined === undefined) return;
    const { header, container, process, file1, file2 } = joined;
    const done = this.config.callback?.(
      header as HeaderRecord,
      container,
      process,
      file1,
      file2,
      joined.record,
    );
    // Most callbacks return no promise, and awaiting would cost each a turn of the event loop.
    if (typeof done?.then === 'function') await done;
  }

  /** Logs and emits the statistics. An error of a listener ends the run. */
  #report(run: Run, reason: Statistics['reason']): void {
    if (!this.config.enableStats) return;
    const { log, session, socket, records } = run;
    try {
      const { tables } = session.summary();
      const dropped = (socket?.dropped ?? 0) + (socket?.droppedIpv6 ?? 0);
      log.info(
        'driver',
        `Container Table: ${tables.containers} Process Table: ${tables.processes} File Table: ${tables.files} NetworkFlow Table: ${tables.networkFlows} FileFlow Table: ${tables.fileFlows} ProcFlow Table: ${tables.processFlows} Num Records Written: ${records} Dropped: ${dropped}`,
      );
      this.emit('statistics', { reason, tables, records, dropped });
    } catch (error) {
      fail(run, error);
    }
  }
}

/**
 * Ends a run after an error of the callback, the socket or a listener. The file still gets
 * everything read so far.
 */
function fail(run: Run, error: unknown): void {
  run.failure ??= { error };
  run.session.stop();
}

function guarded<Result>(action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw asSysFlowError(error);
  }
}

/** Converts an error of a live capture to the code that the checks would give. */
function asLiveError(error: unknown): SysFlowError {
  if (!(error instanceof SfkitError) || !error.code.startsWith('INPUT_'))
    return asSysFlowError(error);
  return new SysFlowError(probeErrorCode(error), error.message, { cause: error });
}

function asSysFlowError(error: unknown): SysFlowError {
  if (error instanceof SysFlowError) return error;
  const code =
    error instanceof SfkitError && error.code === 'INPUT_NOT_SUPPORTED'
      ? 'OperationNotSupported'
      : 'LibsError';
  return new SysFlowError(code, error instanceof Error ? error.message : String(error), {
    cause: error,
  });
}
