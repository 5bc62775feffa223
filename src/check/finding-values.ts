import type { FieldValue, Finding } from './finding.js';

// Resolves a name in a condition about findings: first the fields in the rule's output, then
// Falco's names for the properties of every finding, then the property names of its JSON.

type Values = readonly (string | number | boolean)[];

/** Paths of Falco's names in a finding. */
const falcoNames: Readonly<Record<string, string>> = {
  'evt.type': 'eventType',
  'evt.num': 'eventNumber',
  'proc.pid': 'pid',
  'thread.tid': 'tid',
  'proc.name': 'process.name',
  'proc.exe': 'process.exe',
  'proc.exepath': 'process.exepath',
  'proc.cmdline': 'process.cmdline',
  'proc.cwd': 'process.cwd',
  'proc.pname': 'process.ancestors.0.name',
  'proc.pexe': 'process.ancestors.0.exe',
  'proc.pexepath': 'process.ancestors.0.exepath',
  'proc.pcmdline': 'process.ancestors.0.cmdline',
  'proc.aname': 'process.ancestors.name',
  'proc.aexepath': 'process.ancestors.exepath',
  'user.name': 'process.user',
  'user.uid': 'process.uid',
  'user.loginuid': 'process.loginuid',
  'fs.path.name': 'file.path',
  'fs.path.target': 'file.target',
  'fd.l4proto': 'connection.protocol',
  'fd.cip': 'connection.client.ip',
  'fd.cport': 'connection.client.port',
  'fd.sip': 'connection.server.ip',
  'fd.sport': 'connection.server.port',
  'container.id': 'container.id',
  'container.name': 'container.name',
  'container.image': 'container.image',
  'container.type': 'container.type',
  'k8s.ns.name': 'container.namespace',
  'k8s.pod.name': 'container.pod',
};

const ofProcess = ['pid', 'name', 'exe', 'exepath', 'cmdline'];

/** Paths below each nested property of a finding. */
const members: Readonly<Record<string, readonly string[]>> = {
  location: ['file', 'line'],
  process: [
    ...[...ofProcess, 'cwd', 'uid', 'user', 'loginuid'],
    ...ofProcess.flatMap((name) => [`ancestors.${name}`, `ancestors.N.${name}`]),
  ],
  file: ['path', 'target'],
  connection: ['protocol', 'name', 'client.ip', 'client.port', 'server.ip', 'server.port'],
  container: ['id', 'name', 'image', 'type', 'namespace', 'pod'],
};

/** Suggestions if no finding can have a property of this name; undefined if one can. */
export function knownParts(name: string): string[] | undefined {
  const [whole = '', ...rest] = name.split('.');
  if (!Object.hasOwn(members, whole) || Object.hasOwn(falcoNames, name)) return undefined;
  const known = members[whole] as readonly string[];
  const path = rest.join('.').replace(/^ancestors\.\d+\./, 'ancestors.N.');
  return known.includes(path) ? undefined : known.map((part) => `${whole}.${part}`);
}

/** The values of a name: several for ancestors and lists, none if it is missing. */
export function valuesOf(finding: Finding, name: string): Values {
  if (Object.hasOwn(finding.fields, name)) return flat(finding.fields[name]);
  if (name === 'fd.name') return flat(finding.file?.path ?? finding.connection?.name);
  const path = Object.hasOwn(falcoNames, name) ? (falcoNames[name] as string) : name;
  return at(finding, path.split('.'));
}

function at(value: unknown, [key, ...path]: readonly string[]): Values {
  if (key === undefined) return flat(value);
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value) && !/^\d+$/.test(key))
    return value.flatMap((item) => [...at(item, [key, ...path])]);
  return Object.hasOwn(value, key) ? at((value as Record<string, unknown>)[key], path) : [];
}

function flat(value: FieldValue | unknown): Values {
  const items = Array.isArray(value) ? value : [value];
  return items.filter((item) => ['string', 'number', 'boolean'].includes(typeof item));
}
