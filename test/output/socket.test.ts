import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SysFlowDriver } from '../../src/driver/driver.js';
import { openDatums } from '../../src/engine/session.js';
import { payloads, type Resource, resources } from '../../src/live/kubernetes/objects.js';
import { openLog } from '../../src/output/log.js';
import { defaultLimits, SocketWriter } from '../../src/output/socket.js';
import { type Datum, decodeBatch } from '../../src/records/decode.js';
import { fixtures } from '../helpers/corpus.js';
import { sysflowType, unwrap } from '../helpers/datums.js';
import { testDirectory } from '../helpers/directory.js';
import { withKubernetesEvents } from '../helpers/kubernetes-capture.js';
import { podObject } from '../helpers/kubernetes-stub.js';
import { listen, type Server, seqpacketServer } from '../helpers/seqpacket.js';
import { settled, until } from '../helpers/until.js';

const capture = join(fixtures, 'webserver.scap');
const directory = testDirectory();
const type = sysflowType();
const log = openLog(
  { name: 'test', debug: false },
  { GLOG_minloglevel: '2', GLOG_stderrthreshold: '2' },
);

/** A unique name for each event and flow. */
function keyOf({ name, fields }: { name: string; fields: Record<string, unknown> }): string {
  const text = (value: unknown) => (typeof value === 'bigint' ? String(value) : value);
  return `${name} ${JSON.stringify(fields, (_key, value) => text(value))}`;
}

const entities = ['SFHeader', 'Container', 'Process', 'File', 'Pod'];
const activities = (messages: Server['messages']) =>
  messages.filter(({ name }) => !entities.includes(name));

async function datums(input = capture): Promise<Datum[]> {
  const all: Datum[] = [];
  for await (const batch of openDatums({
    input,
    fileReadMode: 'all',
    processFlow: false,
  })) {
    if (batch.kind !== 'datums') continue;
    for (const item of decodeBatch(batch)) {
      if ('record' in item) all.push({ record: item.record, bytes: Buffer.from(item.bytes) });
    }
  }
  return all;
}

/** Whether every entity that a message refers to came before it. */
function checkReferences(messages: Server['messages']): void {
  const known = new Set<string>();
  const oid = (value: unknown) => {
    const { createTS, hpid } = value as { createTS: unknown; hpid: unknown };
    return JSON.stringify([String(createTS), String(hpid)]);
  };
  messages.forEach(({ name, fields }, place) => {
    expect(name === 'SFHeader').toBe(place === 0);
    if (name === 'Process') known.add(oid(fields.oid));
    if (name === 'File') known.add(Buffer.from(fields.oid as Uint8Array).toString('hex'));
    if (fields.procOID !== undefined) expect(known).toContain(oid(fields.procOID));
    if (fields.fileOID !== undefined)
      expect(known).toContain(Buffer.from(fields.fileOID as Uint8Array).toString('hex'));
  });
}

describe.skipIf(seqpacketServer === undefined)(
  'the socket writer (needs sfkit_seqpacket_server)',
  () => {
    it('sends every record of a run as a message that the schema decodes, the header first', async () => {
      const path = directory.path('s');
      const reader = await listen(path);
      const driver = new SysFlowDriver({ scapInputPath: capture, socketPath: path }, {});
      const { records, socket, skipped } = await driver.run();
      await reader.ended;
      const count = (name: string) =>
        reader.messages.filter((message) => message.name === name).length;
      expect(reader.messages[0]?.name).toBe('SFHeader');
      for (const [name, wanted] of Object.entries(records)) {
        const ipv6 = name === 'NetworkFlow' ? (socket?.droppedIpv6 ?? 0) : 0;
        expect([name, count(name)]).toEqual([name, Number(wanted) - ipv6]);
      }
      expect(socket).toMatchObject({ sent: reader.messages.length, dropped: 0 });
      expect(skipped.filter(({ reason }) => reason.includes('socket'))).toEqual([]);
      checkReferences(reader.messages);
    });

    it('loses nothing when the reader is killed and reconnects', async () => {
      const path = directory.path('s');
      const all = await datums();
      const first = await listen(path);
      const writer = new SocketWriter(path, log, { ...defaultLimits, retry: 5 });
      const half = Math.floor(all.length / 2);
      for (const datum of all.slice(0, half)) await writer.write(datum);
      await until(() => first.messages.length >= 20);
      first.process.kill('SIGKILL');
      await first.ended;
      for (const datum of all.slice(half, half + 50)) await writer.write(datum);
      const second = await listen(path);
      for (const datum of all.slice(half + 50)) await writer.write(datum);
      await writer.close();
      await second.ended;
      const received = new Set(
        [...activities(first.messages), ...activities(second.messages)].map(keyOf),
      );
      const sent = all.map(({ record, bytes }) => ({
        record,
        message: unwrap(typeOf(record) ? type.fromBuffer(bytes) : { rec: { x: {} } }),
      }));
      const wanted = sent.filter(
        ({ record, message }) => typeOf(record) && !entities.includes(message.name),
      );
      const lost = wanted.filter(({ message }) => !received.has(keyOf(message)));
      expect(lost).toEqual([]);
      expect(writer.dropped).toBe(0);
      expect(second.messages.length).toBeGreaterThan(20);
      checkReferences(second.messages);
    });

    it('sends a new reader the pod of a container before the container', async () => {
      const path = directory.path('s');
      const pods = resources.find(({ kind }) => kind === 'Pod') as Resource;
      const pod = pods.item(podObject('u1', { container: '4be7c3a5d21f'.padEnd(64, '0') }));
      const input = directory.path('pods.scap');
      const events = [...payloads('ADDED', 'Pod', [pod])];
      writeFileSync(input, withKubernetesEvents(capture, events).bytes);
      const all = await datums(input);
      const place = all.findIndex(({ record }) => record.type === 'Process' && record.containerId);
      expect(place).toBeGreaterThan(0);
      const first = await listen(path);
      const writer = new SocketWriter(path, log, { ...defaultLimits, retry: 5 });
      for (const datum of all.slice(0, place + 1)) await writer.write(datum);
      await until(() => first.messages.some(({ name }) => name === 'Process'));
      first.process.kill('SIGKILL');
      await first.ended;
      const second = await listen(path);
      for (const datum of all.slice(place + 1)) await writer.write(datum);
      await writer.close();
      await second.ended;
      const names = second.messages.map(({ name }) => name);
      expect(names.filter((name) => name === 'Pod')).toHaveLength(1);
      expect(names.indexOf('Pod')).toBeLessThan(names.indexOf('Container'));
    });

    it('gives a late reader everything queued, including each version of a process', async () => {
      const path = directory.path('s');
      const all = await datums();
      const writer = new SocketWriter(path, log, { ...defaultLimits, retry: 5 });
      for (const datum of all) await writer.write(datum);
      const reader = await listen(path);
      await writer.close();
      await reader.ended;
      expect(reader.messages).toHaveLength(all.filter(({ record }) => typeOf(record)).length);
      expect(
        reader.messages.filter(({ fields }) => fields.state === 'MODIFIED').length,
      ).toBeGreaterThan(0);
      checkReferences(reader.messages);
    });

    it('waits for a slow reader instead of dropping', async () => {
      const path = directory.path('s');
      const reader = await listen(path, '3');
      const writer = new SocketWriter(path, log, { ...defaultLimits, queue: 4, linger: 200 });
      const all = await datums();
      let written = 0;
      const writing = (async () => {
        for (const datum of [...all, ...all, ...all, ...all]) {
          await writer.write(datum);
          written += 1;
        }
      })();
      const acceptedWhileSlow = await settled(() => written);
      reader.process.kill('SIGKILL');
      await writing;
      expect(acceptedWhileSlow).toBeLessThan(all.length * 4);
      writer.discard();
    });

    it('forgets files that no later record refers to, but not those that are written again', async () => {
      const path = directory.path('s');
      const first = await listen(path);
      const writer = new SocketWriter(path, log, { ...defaultLimits, retry: 5 });
      const all = await datums();
      for (const datum of all) await writer.write(datum);
      const flows = new Map<string, Datum>();
      for (const datum of all)
        if (datum.record.type === 'FileFlow') flows.set(datum.record.fileOID, datum);
      const [[kept, flowOfKept], [gone, flowOfGone]] = [...flows] as [
        [string, Datum],
        [string, Datum],
      ];
      const file = all.find(({ record }) => record.type === 'File' && record.oid === kept) as Datum;
      writer.forget({ type: 'Ended', entity: 'files' });
      await writer.write(file);
      // Everything written before has been read when this is sent.
      await until(() => first.messages.length >= writer.sent);
      await writer.write(flowOfKept);
      first.process.kill('SIGKILL');
      await first.ended;
      const second = await listen(path);
      for (const flow of [flowOfKept, flowOfGone]) await writer.write(flow);
      await writer.close();
      await second.ended;
      const received = second.messages
        .filter(({ name }) => name === 'File')
        .map(({ fields }) => Buffer.from(fields.oid as Uint8Array).toString('hex'));
      expect(received).toContain(kept);
      expect(received).not.toContain(gone);
    });

    it('ends in time even if the reader takes nothing, and counts the lost records', async () => {
      const path = directory.path('s');
      const reader = await listen(path, '3');
      const writer = new SocketWriter(path, log, { ...defaultLimits, linger: 200 });
      const all = await datums();
      const many = [...all, ...all, ...all, ...all];
      let written = 0;
      const writing = (async () => {
        for (const datum of many) {
          await writer.write(datum);
          written += 1;
        }
      })();
      expect(await settled(() => written)).toBeLessThan(many.length);
      writer.end();
      await writing;
      await writer.close();
      expect(written).toBe(many.length);
      const records = many.filter(({ record }) => 'procOID' in record).length;
      expect(writer.dropped).toBeGreaterThan(0);
      expect(writer.dropped).toBeLessThanOrEqual(records - writer.droppedIpv6);
      reader.process.kill('SIGKILL');
    });

    it('drops and counts records beyond the limit while there is no reader', async () => {
      const writer = new SocketWriter(directory.path('none'), log, {
        ...defaultLimits,
        queue: 10,
        retry: 5,
        maxRetry: 10,
        linger: 20,
      });
      const all = await datums();
      for (const datum of all) await writer.write(datum);
      await writer.close();
      const ipv6 = writer.droppedIpv6;
      const count = all.filter(({ record }) => 'procOID' in record).length;
      expect(writer.sent).toBe(0);
      expect(writer.dropped + ipv6).toBe(count);
      expect(writer.dropped).toBeGreaterThan(10);
    });
  },
);

/** The schema cannot represent IPv6 flows, so they are not sent. */
function typeOf(record: Datum['record']): boolean {
  return !(record.type === 'NetworkFlow' && record.family === 6);
}
