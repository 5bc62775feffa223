/** What `error.code` of a SysFlowError can be, in the order of the collector's codes. */
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
 * - LibsError: a wrong configuration or filter, a capture that is missing or unreadable, an output that fails
 * - ProbeAccessDenied: also without the capabilities that live capture needs, and where lockdown forbids it
 * - ProbeAccessDenied, ProbeNotExist, ErrorReadingFileSystem, NameTooLong, ProbeCheckError: the file of the eBPF probe
 *   may not be read (EACCES), is not there (ENOENT), the disk fails (EIO), its name is too long (ENAMETOOLONG), a part
 *   of its path is no directory (ENOTDIR)
 * - ProbeNotLoaded: the kernel module is not loaded, or the kernel refuses the probe
 * - DriverLibsMismatch: the probe is not one that says which version it has
 * - EventParsingError: the capture is damaged; everything that can be read was delivered before
 * - ProcResourceNotFound: /proc does not have what is needed
 * - OperationNotSupported: this version cannot do it, or not on this system
 */
export type SysFlowErrorCode = (typeof sysFlowErrorCodes)[number];

/** What `new SysFlowDriver()` throws and `run()` rejects with. Its message is for a person. */
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
