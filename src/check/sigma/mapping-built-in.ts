import type { FieldForms, LogSourceMapping, RecordMapping } from './mapping.js';

// Mappings for the fields of Sysmon and auditd; see docs/check-sigma.md.

const commandLine = ['{proc_cmdline}', '{proc_name} {proc_args}', '{proc_argv}'];
const parentCommandLine = ['{pproc_cmdline}', '{pproc_name} {pproc_args}'];

/** Fields of Sysmon events. */
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

const noSession = 'SysFlow records do not contain sessions';
const noHashes = 'captures do not contain the contents of files';
const noVersion = 'programs on Linux have none';
/** Missing fields of a process. Only process creation has a login. */
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

/**
 * The arguments of a program and the call that started it: auditd writes both with the same event
 * number.
 */
const execve: RecordMapping = {
  types: ['PE'],
  where: { opflags: 'EXEC', ret: 0 },
  fields: {
    type: 'EXECVE',
    auid: '{proc_loginuid}',
    proctitle: commandLine,
    SYSCALL: execCalls,
    syscall: execCalls,
    ...Object.fromEntries(
      Array.from({ length: 64 }, (_, index) => [`a${index}`, `{proc_argv:${index}}`]),
    ),
  },
  keywords: commandLine,
};

const started: RecordMapping = {
  types: ['PE'],
  where: { opflags: 'EXEC' },
  fields: { type: 'SYSCALL', SYSCALL: execCalls, syscall: execCalls },
};

/** Frequent calls: only rules that name a call see them. Other rules see only program starts. */
function systemCall(
  types: RecordMapping['types'],
  operation: string,
  names: readonly string[],
): RecordMapping {
  return {
    types,
    where: { opflags: operation },
    fields: { type: 'SYSCALL', SYSCALL: names, syscall: names },
    namedBy: ['SYSCALL', 'syscall'],
  };
}

function path(
  types: RecordMapping['types'],
  where: NonNullable<RecordMapping['where']>,
  name: string,
  kinds: readonly string[],
): RecordMapping {
  return { types, where, fields: { type: 'PATH', name, nametype: kinds }, keywords: [name] };
}

const noCall = 'SysFlow records contain only calls about processes, files and connections';

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
      {
        types: ['FE'],
        where: { opflags: 'MKDIR', ret: 0 },
        fields: { TargetFilename: '{file_path}' },
      },
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
      {
        ...connections,
        where: { opflags: 'CONNECT' },
        fields: { ...connections.fields, Initiated: 'true' },
      },
      {
        ...connections,
        except: { opflags: 'CONNECT' },
        fields: { ...connections.fields, Initiated: 'false' },
      },
    ],
    missing: {
      ...missing,
      DestinationHostname:
        'addresses have names only after DNS answers in the capture; a mapping file can use net_dname',
      SourceHostname: 'nothing here names the sources of connections',
    },
  },
  {
    service: 'auditd',
    shows: ['type', 'name', 'nametype', 'exe', 'proctitle'],
    fields: auditFields,
    records: [
      execve,
      started,
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
      path(['FF'], { opflags: 'OPEN', file_is_open_write: true }, '{file_path}', [
        'CREATE',
        'NORMAL',
      ]),
      path(['FF'], { opflags: 'OPEN', file_is_open_write: false }, '{file_path}', ['NORMAL']),
      path(['FE'], { opflags: 'MKDIR', ret: 0 }, '{file_path}', ['CREATE']),
      path(['FE'], { opflags: ['LINK', 'SYMLINK', 'RENAME'], ret: 0 }, '{file_newpath}', [
        'CREATE',
      ]),
      path(['FE'], { opflags: ['UNLINK', 'RMDIR', 'RENAME'], ret: 0 }, '{file_path}', ['DELETE']),
    ],
    missing: {
      key: 'keys belong to audit rules, and captures do not come from these',
      auid: 'SysFlow records do not contain the login',
      type: 'sfkit has only records of programs, calls and paths',
      SYSCALL: noCall,
      syscall: noCall,
    },
  },
];
