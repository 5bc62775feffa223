import type { FieldForms, LogSourceMapping, RecordMapping } from './mapping.js';

// Sysmon's fields and auditd's, as docs/check-sigma.md explains them.

const commandLine = ['{proc_cmdline}', '{proc_name} {proc_args}', '{proc_argv}'];
const parentCommandLine = ['{pproc_cmdline}', '{pproc_name} {pproc_args}'];

/** Of Sysmon's events. */
const ofProcesses: FieldForms = {
  Image: '{proc_exe}',
  CommandLine: ['{proc_cmdline}', '{proc_name} {proc_args}'],
  ProcessId: '{proc_pid}',
  User: '{proc_user}',
  CurrentDirectory: ['{proc_cwd}', '{proc_cwd:noslash}'],
  ParentImage: '{pproc_exe}',
  ParentCommandLine: parentCommandLine,
  ParentProcessId: '{pproc_pid}',
  ParentUser: '{pproc_user}',
  UtcTime: '{ts}',
};

const noSession = 'SysFlow records do not hold sessions';
const noHashes = 'captures do not hold the contents of files';
const noVersion = 'programs on Linux have none';
/** Of a process; only its start has a login. */
const withoutSession = {
  LogonGuid: noSession,
  TerminalSessionId: noSession,
  IntegrityLevel: 'Linux has none',
  Hashes: noHashes,
  md5: noHashes,
  sha1: noHashes,
  sha256: noHashes,
  Imphash: noHashes,
  OriginalFileName: noVersion,
  Product: noVersion,
  Company: noVersion,
  Description: noVersion,
  FileVersion: noVersion,
};

const missing = { ...withoutSession, LogonId: noSession };

const connections: RecordMapping = {
  types: ['NF'],
  fields: {
    SourceIp: '{net_sip}',
    SourcePort: '{net_sport}',
    DestinationIp: '{net_dip}',
    DestinationPort: '{net_dport}',
    Protocol: '{net_proto:protocol}',
  },
};

const auditFields: FieldForms = {
  proctitle: ['{proc_cmdline}', '{proc_name} {proc_args}'],
  exe: '{proc_exe}',
  comm: '{proc_name}',
  cwd: ['{proc_cwd}', '{proc_cwd:noslash}'],
  pid: '{proc_pid}',
  ppid: '{pproc_pid}',
  uid: ['{proc_uid}', '{proc_user}'],
  euid: ['{proc_uid}', '{proc_user}'],
  gid: ['{proc_gid}', '{proc_group}'],
  egid: ['{proc_gid}', '{proc_group}'],
};

const execCalls = ['execve', 'execveat'];

/** The arguments of a program and the call that started it: auditd writes both with the same number. */
const execve: RecordMapping = {
  types: ['PE'],
  where: { opflags: 'EXEC', ret: 0 },
  fields: {
    type: 'EXECVE',
    auid: '{proc_loginuid}',
    proctitle: commandLine,
    SYSCALL: execCalls,
    syscall: execCalls,
    ...Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`a${index}`, `{proc_argv:${index}}`])),
  },
  keywords: commandLine,
};

function systemCall(types: RecordMapping['types'], operation: string, names: readonly string[]): RecordMapping {
  return { types, where: { opflags: operation }, fields: { type: 'SYSCALL', SYSCALL: names, syscall: names } };
}

function path(
  types: RecordMapping['types'],
  where: NonNullable<RecordMapping['where']>,
  name: string,
  kinds: readonly string[],
): RecordMapping {
  return { types, where, fields: { type: 'PATH', name, nametype: kinds }, keywords: [name] };
}

const noCall = 'SysFlow records hold calls about processes, files and connections only';

export const builtIn: readonly LogSourceMapping[] = [
  {
    category: 'process_creation',
    shows: ['Image', 'CommandLine', 'ParentImage', 'User'],
    fields: ofProcesses,
    records: [
      {
        types: ['PE'],
        where: { opflags: 'EXEC', ret: 0 },
        fields: { CommandLine: commandLine, LogonId: '{proc_loginuid}' },
      },
    ],
    missing: withoutSession,
  },
  {
    category: 'file_event',
    shows: ['TargetFilename', 'Image', 'User'],
    fields: ofProcesses,
    records: [
      { types: ['FE'], where: { opflags: 'MKDIR', ret: 0 }, fields: { TargetFilename: '{file_path}' } },
      {
        types: ['FE'],
        where: { opflags: ['LINK', 'SYMLINK', 'RENAME'] },
        fields: { TargetFilename: '{file_newpath}' },
      },
      {
        types: ['FF'],
        where: { opflags: 'OPEN', file_is_open_write: true },
        fields: { TargetFilename: '{file_path}' },
      },
    ],
    missing,
  },
  {
    category: 'network_connection',
    shows: ['Image', 'Protocol', 'SourceIp', 'DestinationIp', 'DestinationPort', 'User'],
    fields: ofProcesses,
    records: [
      { ...connections, where: { opflags: 'CONNECT' }, fields: { ...connections.fields, Initiated: 'true' } },
      { ...connections, except: { opflags: 'CONNECT' }, fields: { ...connections.fields, Initiated: 'false' } },
    ],
    missing: {
      ...missing,
      DestinationHostname: 'nothing here names addresses',
      SourceHostname: 'nothing here names addresses',
    },
  },
  {
    service: 'auditd',
    shows: ['type', 'name', 'nametype', 'exe', 'proctitle'],
    fields: auditFields,
    records: [
      execve,
      systemCall(['PE'], 'EXEC', execCalls),
      systemCall(['PE'], 'CLONE', ['clone', 'clone3', 'fork', 'vfork']),
      systemCall(['PE'], 'EXIT', ['exit', 'exit_group']),
      systemCall(['PE'], 'SETUID', ['setuid', 'setreuid', 'setresuid']),
      systemCall(['FF'], 'OPEN', ['open', 'openat', 'openat2', 'creat']),
      systemCall(['FE'], 'MKDIR', ['mkdir', 'mkdirat']),
      systemCall(['FE'], 'RMDIR', ['rmdir', 'unlinkat']),
      systemCall(['FE'], 'LINK', ['link', 'linkat']),
      systemCall(['FE'], 'SYMLINK', ['symlink', 'symlinkat']),
      systemCall(['FE'], 'UNLINK', ['unlink', 'unlinkat']),
      systemCall(['FE'], 'RENAME', ['rename', 'renameat', 'renameat2']),
      systemCall(['NF'], 'CONNECT', ['connect']),
      systemCall(['NF'], 'ACCEPT', ['accept', 'accept4']),
      path(['PE'], { opflags: 'EXEC', ret: 0 }, '{proc_exe}', ['NORMAL']),
      path(['FF'], { opflags: 'OPEN', file_is_open_write: true }, '{file_path}', ['CREATE', 'NORMAL']),
      path(['FF'], { opflags: 'OPEN', file_is_open_write: false }, '{file_path}', ['NORMAL']),
      path(['FE'], { opflags: 'MKDIR', ret: 0 }, '{file_path}', ['CREATE']),
      path(['FE'], { opflags: ['LINK', 'SYMLINK', 'RENAME'], ret: 0 }, '{file_newpath}', ['CREATE']),
      path(['FE'], { opflags: ['UNLINK', 'RMDIR', 'RENAME'], ret: 0 }, '{file_path}', ['DELETE']),
    ],
    missing: {
      key: 'keys are of audit rules, and captures are not made by them',
      auid: 'SysFlow records do not hold the login',
      type: 'only records of programs, calls and paths are here',
      SYSCALL: noCall,
      syscall: noCall,
    },
  },
];
