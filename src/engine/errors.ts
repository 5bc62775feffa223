/** Error codes for programs. The INPUT_ codes come from native/include/sfkit/status.h. */
export type SfkitErrorCode =
  | 'INPUT_NOT_FOUND'
  | 'INPUT_NOT_A_FILE'
  | 'INPUT_UNREADABLE'
  | 'INPUT_EMPTY'
  | 'INPUT_NOT_SUPPORTED'
  | 'INPUT_BAD_FORMAT'
  | 'INPUT_DAMAGED'
  | 'CANCELLED'
  | 'OUTPUT_UNWRITABLE'
  | 'INVALID_ARGUMENT'
  | 'INVALID_RULES'
  | 'SQL_ERROR'
  | 'ENGINE_NOT_FOUND'
  | 'UNKNOWN';

/** An error that the user can fix: its message is one line that says what is wrong and where. */
export class SfkitError extends Error {
  override readonly name = 'SfkitError';

  constructor(
    readonly code: SfkitErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * An error in SQL. Its message is one line; `details` show the place and give advice, one line
 * each.
 */
export class SqlError extends SfkitError {
  constructor(
    message: string,
    readonly details: readonly string[],
    options?: ErrorOptions,
  ) {
    super('SQL_ERROR', message, options);
  }
}

/** Converts an error of the addon to an SfkitError. */
export function fromNative(error: unknown): SfkitError {
  if (error instanceof SfkitError) return error;
  const code = (error as { code?: unknown }).code;
  const message = error instanceof Error ? error.message : String(error);
  return new SfkitError(typeof code === 'string' ? (code as SfkitErrorCode) : 'UNKNOWN', message, {
    cause: error,
  });
}

/** Converts a file-system error to an SfkitError that names the output. */
export function unwritable(path: string, error: unknown): SfkitError {
  if (error instanceof SfkitError) return error;
  return new SfkitError('OUTPUT_UNWRITABLE', `cannot write ${path}: ${reasonOf(error)}`, {
    cause: error,
  });
}

/** Writing to standard output failed; `cause` is the system's error. */
export class OutputLost extends SfkitError {
  constructor(cause: unknown) {
    super('OUTPUT_UNWRITABLE', `standard output: ${reasonOf(cause)}`, { cause });
  }
}

/** At the end of a run the reader of a pipe takes nothing, so the run does not wait for it. */
export class OutputUnread extends SfkitError {
  constructor(shownAs: string) {
    super('OUTPUT_UNWRITABLE', `cannot write ${shownAs}: nobody reads it; the rest is lost`);
  }
}

/** Describes a file-system error in words. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return reasons[code ?? codeFromDuckDb(error) ?? ''] ?? (message.split('\n', 1)[0] as string);
}

/** Whether the error comes from the file system, directly or through DuckDB. */
export function isSystemError(error: unknown): boolean {
  return (
    (error as NodeJS.ErrnoException).syscall !== undefined || codeFromDuckDb(error) !== undefined
  );
}

/**
 * DuckDB's messages of these two kinds end with the system's message. Others may quote user data.
 */
function codeFromDuckDb(error: unknown): string | undefined {
  const message = /^(?:IO|FATAL) Error: .*: (.+?)\s*$/m.exec((error as Error).message ?? '')?.[1];
  return systemMessages[message ?? ''];
}

const systemMessages: Readonly<Record<string, string>> = {
  'No space left on device': 'ENOSPC',
  'Read-only file system': 'EROFS',
  'Permission denied': 'EACCES',
};

const reasons: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  ENOENT: 'the directory does not exist',
  ENOTDIR: 'it, or a part of its path, is a file and not a directory',
  EISDIR: 'it is a directory; end it with / to write into it',
  EEXIST: 'a file or directory of that name exists',
  ENOSPC: 'no space left on the device',
  EROFS: 'the file system is read-only',
  ENOTEMPTY: 'the directory is not empty',
  ELOOP: 'its symbolic links form a loop',
  ENXIO: 'it is a socket, or a device that does not exist',
  EPIPE: 'its reader closed it',
  EBADF: 'it is closed',
};
