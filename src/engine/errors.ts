/** What went wrong, for programs. The INPUT_ codes come from native/include/sfkit/status.h. */
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

/** An error that is the user's to solve: its message is one line that says what and where. */
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

/** What the addon rejects with, as an SfkitError. */
export function fromNative(error: unknown): SfkitError {
  if (error instanceof SfkitError) return error;
  const code = (error as { code?: unknown }).code;
  const message = error instanceof Error ? error.message : String(error);
  return new SfkitError(typeof code === 'string' ? (code as SfkitErrorCode) : 'UNKNOWN', message, { cause: error });
}

/** A file-system error on the way out, as an SfkitError that names the output. */
export function unwritable(path: string, error: unknown): SfkitError {
  if (error instanceof SfkitError) return error;
  return new SfkitError('OUTPUT_UNWRITABLE', `cannot write ${path}: ${reasonOf(error)}`, { cause: error });
}

/** Standard output took no more; `cause` is what the system said. */
export class OutputLost extends SfkitError {
  constructor(cause: unknown) {
    super('OUTPUT_UNWRITABLE', `standard output: ${reasonOf(cause)}`, { cause });
  }
}

/** Nobody reads a pipe, which a run that is to end does not wait for. */
export class OutputUnread extends SfkitError {
  constructor(shownAs: string) {
    super('OUTPUT_UNWRITABLE', `cannot write ${shownAs}: nobody reads it; what was left is lost`);
  }
}

/** A file-system error in words. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return reasons[code ?? codeFromDuckDb(error) ?? ''] ?? (message.split('\n', 1)[0] as string);
}

/** Whether the file system reported the error, to us or to DuckDB. */
export function isSystemError(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).syscall !== undefined || codeFromDuckDb(error) !== undefined;
}

/** DuckDB's messages of these two kinds end with the system's message. Others may quote user data. */
function codeFromDuckDb(error: unknown): string | undefined {
  const said = /^(?:IO|FATAL) Error: .*: (.+?)\s*$/m.exec((error as Error).message ?? '')?.[1];
  return systemMessages[said ?? ''];
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
  EEXIST: 'something of that name is in the way',
  ENOSPC: 'no space left on the device',
  EROFS: 'the file system is read-only',
  ENOTEMPTY: 'the directory is not empty',
  ELOOP: 'its links lead in a circle',
  ENXIO: 'it is a socket or a device that is not there',
  EPIPE: 'its reader went away',
  EBADF: 'it is closed',
};
