import { describe, expect, it } from 'vitest';
import { columns } from '../../src/engine/columns.gen.js';
import {
  attributeName,
  listedAttributes,
  plainName,
  selectedColumns,
} from '../../src/show/attributes.js';

/** Every attribute of sysprint but version and tags. */
const sysprint =
  `type state opflags opflags_bitmap ret ts ts_uts endts endts_uts proc.pid proc.tid proc.uid
  proc.gid proc.user proc.group proc.cwd proc.exe proc.args proc.name proc.cmdline proc.apid proc.aname proc.tty
  proc.entry proc.env proc.createts pproc.pid pproc.uid pproc.gid pproc.user pproc.group pproc.cwd pproc.exe
  pproc.args pproc.tty pproc.entry pproc.env pproc.createts pproc.name pproc.cmdline file.fd file.path file.newpath
  file.name file.directory file.type file.openflags file.is_open_write file.is_open_read net.proto net.sport
  net.dport net.sip net.dip net.ip net.port res flow.rbytes flow.rops flow.wbytes flow.wops container.id
  container.name container.imageid container.image container.type container.privileged pf.nthreads pf.nexits
  pf.nerrors pod.id pod.name pod.nname pod.ns pod.hostip pod.internalip pod.rstrtcnt pod.services k8s.action
  k8s.kind k8s.msg node.id node.ip filename schema idx`.split(/\s+/);

describe('names of attributes', () => {
  it('are those of sysprint', () => {
    const listed = listedAttributes().map(({ attribute }) => attribute);
    expect(sysprint.filter((name) => !listed.includes(name))).toEqual([]);
  });

  it('may have dots or underscores, and sf in front', () => {
    for (const name of sysprint) {
      const plain = plainName(name);
      expect(plain, name).toBeDefined();
      for (const form of [
        `sf.${name}`,
        name.replaceAll('.', '_'),
        `sf_${name.replaceAll('.', '_')}`,
      ])
        expect(plainName(form), form).toBe(plain);
    }
  });

  it('have a column each, or are for filters only', () => {
    for (const { name } of columns) expect(plainName(attributeName(name)), name).toBe(name);
    const only = listedAttributes().filter(({ column }) => column === null);
    expect(only.map(({ meaning }) => meaning.endsWith(' (filter only)'))).not.toContain(false);
    for (const { attribute, meaning } of listedAttributes())
      expect(meaning.length, attribute).toBeGreaterThan(0);
  });

  it.each([
    ['sf.pod.nodename', 'pod_nname'],
    ['sf.ke.message', 'k8s_msg'],
    ['sf.meta.tracename', 'filename'],
    ['evt.type', 'opflags'],
    ['fd.name', 'file_path'],
    ['proc.tty', 'proc_tty'],
    ['proc.createtime', 'proc_createts'],
  ])('of other tools: %s is %s', (name, column) => {
    expect(plainName(name)).toBe(column);
  });

  it.each(['', 'proc', 'constructor', 'sf.__proto__', 'proc.exe.x', 'toString'])(
    "unknown: '%s'",
    (name) => {
      expect(plainName(name)).toBeUndefined();
    },
  );
});

describe('-c', () => {
  const all = () => true;

  it('keeps the names and order of the user', () => {
    expect(selectedColumns('sf.proc.exe, ts,proc_pid', all)).toEqual([
      { label: 'sf.proc.exe', column: 'proc_exe' },
      { label: 'ts', column: 'ts' },
      { label: 'proc_pid', column: 'proc_pid' },
    ]);
  });

  it.each([
    [
      'proc.exee',
      "-c: 'proc.exee' is not an attribute; did you mean 'proc.exe'? sfkit show -l lists them",
    ],
    ['ts,', "-c: '' is not an attribute; sfkit show -l lists them"],
    ['net.ip', "-c: 'net.ip' can only be used in --filter; it is no column"],
    ['proc.exe,sf.proc.exe', "-c: 'sf.proc.exe' is there twice"],
  ])('refuses %s', (list, message) => {
    expect(() => selectedColumns(list, all)).toThrow(message);
  });

  it('refuses a column that the table lacks', () => {
    expect(() => selectedColumns('ret', () => false)).toThrow("-c: the table has no column 'ret'");
  });
});
