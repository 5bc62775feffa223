/** The codes of a SysFlowError, in the order of the collector's codes. */
export const sysFlowErrorCodes = [
  'LibsError',
  'ProbeAccessDenied',
  'ProbeNotExist',
  'ErrorReadingFileSystem',
  'NameTooLong',
  'ProbeCheckError',
  'ProbeNotLoaded',
  'DriverLibsMismatch',
  'EventParsingError',
  'ProcResourceNotFound',
  'OperationNotSupported',
] as const;

/**
 * - LibsError: a wrong configuration or filter, a missing or unreadable capture, a failed output
 * - ProbeAccessDenied: a capability for live capture is missing, lockdown forbids it, or the probe
 *   file is unreadable (EACCES)
 * - ProbeNotExist, ErrorReadingFileSystem, NameTooLong, ProbeCheckError: the probe file is missing
 *   (ENOENT), the disk fails (EIO), the name is too long (ENAMETOOLONG), a part of the path is not
 *   a directory (ENOTDIR)
 * - ProbeNotLoaded: the kernel module is not loaded, or the kernel rejects the probe
 * - DriverLibsMismatch: the probe file has no version
 * - EventParsingError: the capture is damaged; everything readable was delivered before
 * - ProcResourceNotFound: /proc lacks something required
 * - OperationNotSupported: this version, or this system, does not support it
 */
export type SysFlowErrorCode = (typeof sysFlowErrorCodes)[number];

/** Thrown by `new SysFlowDriver()` and `run()`. Its message is for people. */
export class SysFlowError extends Error {
  override readonly name = 'SysFlowError';

  constructor(
    readonly code: SysFlowErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
