import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import winston from 'winston';
import { booleanOf, booleanWords } from '../engine/boolean.js';
import type { Environment } from '../engine/config.js';
import { escapeForTerminal } from '../engine/escape.js';
import type { LogFlag } from '../engine/variables.gen.js';

/** A log with severities and verbosity levels; `module` is the name for GLOG_vmodule. */
export interface Log {
  info(module: string, message: string): void;
  warning(module: string, message: string): void;
  error(module: string, message: string): void;
  /** 1: occasional messages; 2: frequent ones. */
  verbose(level: 1 | 2, module: string, message: string): void;
  /** Resolves when all messages are written. */
  close(): Promise<void>;
}

export interface LogSettings {
  /** Name of log files. */
  name: string;
  /** Log everything to standard error. */
  debug: boolean;
}

/** Maximum time to write the last messages to a log file, in ms. */
const maxCloseTime = 1000;

const severities = ['INFO', 'WARNING', 'ERROR'] as const;
type Severity = (typeof severities)[number];

/**
 * Opens a log that follows the variables of glog: GLOG_logtostderr (1, true or yes: everything to
 * standard error, nothing to files), GLOG_stderrthreshold (lowest severity that also goes to standard error:
 * 0 INFO, 1 WARNING, 2 ERROR; default 2), GLOG_minloglevel (lower severities are dropped; default
 * 0), GLOG_log_dir (directory of the files NAME.INFO, NAME.WARNING and NAME.ERROR; default: no
 * files), GLOG_v (verbose messages up to this level; default 0) and GLOG_vmodule (the same per
 * module: driver=2,sock*=1).
 */
export function openLog({ name, debug }: LogSettings, env: Environment): Log {
  const glog = (flag: LogFlag) => env[`GLOG_${flag}`];
  const least = severityOf(glog('minloglevel'), 0);
  const switchText = glog('logtostderr') ?? '0';
  const toStderr = booleanOf(switchText) ?? false;
  const stderrFrom = debug || toStderr ? 0 : severityOf(glog('stderrthreshold'), 2);
  const verbosity = verbosityOf(debug ? '2' : glog('v'), glog('vmodule'));
  const shown = severities[Math.max(least, stderrFrom)];
  const transports: winston.transport[] = [
    new winston.transports.Stream({
      stream: process.stderr,
      level: shown ?? 'ERROR',
      silent: shown === undefined,
    }),
  ];
  const logDirectory = glog('log_dir');
  if (logDirectory && !toStderr) {
    try {
      accessSync(logDirectory, constants.W_OK);
      if (!statSync(logDirectory).isDirectory())
        throw new Error(`${logDirectory} is not a directory`);
      for (const severity of severities.slice(least)) {
        transports.push(
          new winston.transports.File({
            filename: join(logDirectory, `${name}.${severity}`),
            level: severity,
          }),
        );
      }
    } catch (error) {
      // An unwritable log must not prevent the run.
      const reason = error instanceof Error ? error.message : String(error);
      process.stderr.write(`${name}: no log files: ${escapeForTerminal(reason)}\n`);
    }
  }
  const logger = winston.createLogger({
    levels: { ERROR: 0, WARNING: 1, INFO: 2 },
    level: 'INFO',
    format: winston.format.combine(
      winston.format.timestamp(),
      winston.format.printf(
        ({ level, timestamp, module, message }) =>
          `${level.charAt(0)} ${timestamp} ${name} ${module}] ${escapeForTerminal(String(message))}`,
      ),
    ),
    transports,
  });
  // An unwritable log must not end the run.
  logger.on('error', () => {});
  const write = (level: Severity, module: string, message: string) => {
    logger.log({ level, module, message });
  };
  if (booleanOf(switchText) === undefined) {
    write(
      'WARNING',
      'log',
      `GLOG_logtostderr='${switchText}': expected ${booleanWords}; it counts as off`,
    );
  }
  return {
    info: (module, message) => write('INFO', module, message),
    warning: (module, message) => write('WARNING', module, message),
    error: (module, message) => write('ERROR', module, message),
    verbose(level, module, message) {
      if (level <= verbosity(module)) write('INFO', module, message);
    },
    close: () =>
      new Promise((resolve) => {
        const files = transports.filter(
          (transport) => transport instanceof winston.transports.File,
        );
        let open = files.length;
        const done = () => {
          open -= 1;
          if (open <= 0) resolve();
        };
        for (const file of files) {
          let isDone = false;
          const once = () => {
            if (!isDone) done();
            isDone = true;
          };
          // A full disk must not keep the run from ending.
          setTimeout(once, maxCloseTime).unref();
          file.once('finish', once).once('error', once);
        }
        logger.end();
        if (open === 0) resolve();
      }),
  };
}

function severityOf(value: string | undefined, fallback: number): number {
  const number = Number.parseInt(value ?? '', 10);
  // Above ERROR is FATAL, which sfkit never logs.
  return number >= 0 ? Math.min(number, severities.length) : fallback;
}

/** The verbose level of a module: that of the first matching pattern, else the common one. */
function verbosityOf(
  common: string | undefined,
  modules: string | undefined,
): (module: string) => number {
  const fallback = Number.parseInt(common ?? '', 10) || 0;
  const patterns = (modules ?? '')
    .split(',')
    .map((entry) => /^([\w*?-]+)=(\d+)$/.exec(entry.trim()))
    .filter((match) => match !== null)
    .map(([, pattern, level]) => ({
      pattern: new RegExp(`^${(pattern as string).replaceAll('*', '.*').replaceAll('?', '.')}$`),
      level: Number(level),
    }));
  return (module) => patterns.find(({ pattern }) => pattern.test(module))?.level ?? fallback;
}
