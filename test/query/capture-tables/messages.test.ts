import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../../src/query/dataset.js';
import { corpus, fixtures, hasCorpus } from '../../helpers/corpus.js';

// The tables dns and http, compared with small decoders of their own over the table events.

async function ask(sql: string, input: string): Promise<Record<string, unknown>[]> {
  const dataset = await openDataset([input], sql, {});
  try {
    return (await dataset.connection.runAndReadAll(sql)).getRowObjectsJson() as Record<
      string,
      unknown
    >[];
  } finally {
    dataset.close();
  }
}

/** Buffers of events that meet a condition. `size`: before the capture cut them. */
async function buffers(input: string, condition: string) {
  const sql = `select number, result, hex(buffer) as bytes from events
    where direction = 'exit' and is_io and not failed and buffer is not null and (${condition}) order by number`;
  return (await ask(sql, input)).map(({ number, result, bytes }) => ({
    number: String(number),
    size: Number(result),
    bytes: Buffer.from(String(bytes), 'hex'),
  }));
}

/** The labels from a place, and the place after them; undefined if they are not complete. */
function nameAt(bytes: Buffer, start: number, depth = 0): [string[], number] | undefined {
  const labels: string[] = [];
  for (let place = start; place < bytes.length; ) {
    const length = bytes[place] as number;
    if (length === 0) return [labels, place + 1];
    if (length >= 0xc0) {
      const rest =
        depth < 5 && place + 1 < bytes.length
          ? nameAt(bytes, bytes.readUInt16BE(place) & 0x3fff, depth + 1)
          : undefined;
      return rest === undefined ? undefined : [[...labels, ...rest[0]], place + 2];
    }
    if (place + 1 + length > bytes.length) return undefined;
    labels.push(bytes.toString('latin1', place + 1, place + 1 + length));
    place += 1 + length;
  }
  return undefined;
}

/** Questions and answers of a message on a UDP socket; only addresses of type A are decoded. */
function decodeDns(bytes: Buffer): unknown[][] {
  if (bytes.length < 12 || (bytes.readUInt16BE(2) & 0x7840) !== 0 || bytes.readUInt16BE(4) !== 1)
    return [];
  const rows: unknown[][] = [];
  const direction = (bytes.readUInt16BE(2) & 0x8000) === 0 ? 'query' : 'response';
  let place = 12;
  for (let i = 0; i < 1 + bytes.readUInt16BE(6); i++) {
    const found = nameAt(bytes, place);
    if (found === undefined || found[1] + 4 > bytes.length) break;
    const type = bytes.readUInt16BE(found[1]);
    if (i > 0 && found[1] + 10 > bytes.length) break;
    const size = i === 0 ? 0 : bytes.readUInt16BE(found[1] + 8);
    const data = found[1] + 10;
    const answer =
      i > 0 && type === 1 && data + 4 <= bytes.length
        ? [...bytes.subarray(data, data + 4)].join('.')
        : null;
    rows.push([
      direction,
      i === 0 ? 'question' : 'answer',
      bytes.readUInt16BE(0),
      found[0].join('.'),
      type,
      answer,
    ]);
    place = i === 0 ? found[1] + 4 : data + size;
  }
  return rows;
}

const typeNumbers: Record<string, number> = {
  A: 1,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
};

const dnsCaptures = [
  'libs/curl_google',
  'sysdig-examples/example4-1',
  'faults/inputs/udp-two-queries',
];

describe.skipIf(!hasCorpus)('the table dns', () => {
  it.each(dnsCaptures)('has the messages of the buffers: %s', async (name) => {
    const input = join(corpus, `${name}.scap`);
    const expected = (await buffers(input, "fd_name like '%:53'")).flatMap(({ number, bytes }) =>
      decodeDns(bytes).map((row) => [number, ...row]),
    );
    const rows = await ask('select * from dns order by number, section desc', input);
    const found = rows.map(({ number, direction, section, id, name: asked, type, answer }) => [
      String(number),
      direction,
      section,
      Number(id),
      asked,
      typeNumbers[String(type)],
      type === 'A' ? answer : null,
    ]);
    expect(found).toEqual(expected);
    // Only in the last one do the buffers hold no DNS.
    expect(found.length > 0).toBe(!name.startsWith('faults'));
  });

  it('has the latency of a response', async () => {
    const sql = `select *, ts_uts - lag(ts_uts) over (order by number) as gap from dns where section = 'question'
      order by number`;
    const rows = await ask(sql, join(corpus, 'libs', 'curl_google.scap'));
    const response =
      rows.find(({ direction, type }) => direction === 'response' && type === 'AAAA') ?? {};
    const { latency, gap } = response;
    expect(latency).toBe(gap);
    expect(response).toMatchObject({
      server_ip: '2001:4860:4860::8888',
      protocol: 'udp',
      rcode: 'NOERROR',
    });
  });
});

/** Fixtures have data on port 53 that is not DNS. */
it('the table dns has no rows of other data', async () => {
  expect(
    (await buffers(join(fixtures, 'webserver.scap'), "fd_name like '%:53'")).length,
  ).toBeGreaterThan(0);
  expect(await ask('select * from dns', join(fixtures, 'webserver.scap'))).toEqual([]);
});

const request =
  /^([A-Z-]+) ((?:\/|http:\/\/)[\x21-\x7e]*|\*)(?: HTTP\/(1\.[0-9])\r\n| (?:H|HT|HTT|HTTP|HTTP\/|HTTP\/1|HTTP\/1\.|HTTP\/1\.\d\r?)?$|$)/;
const response = /^HTTP\/(1\.[0-9]) (\d{3}) ?([^\r\n]*)/;

function decodeHttp(bytes: Buffer, size: number): unknown[] | undefined {
  const text = bytes.toString('latin1');
  const asked = request.exec(text);
  const isWhole = text.includes('\n');
  if (asked !== null && (isWhole || size > bytes.length))
    return ['request', asked[1], asked[2], null];
  const answered = response.exec(text);
  return answered === null ? undefined : ['response', null, null, Number(answered[2])];
}

const httpCaptures = [
  join(fixtures, 'incident.scap'),
  ...(hasCorpus
    ? [
        'libs/curl_google',
        'sysdig-examples/example4-1',
        'sysdig-examples/example2_502error',
        'sf-collector/mpm-worker.cold_start',
        'sf-collector/objectstore.ls',
      ].map((name) => join(corpus, `${name}.scap`))
    : []),
];

describe('the table http', () => {
  it.each(httpCaptures)('has the messages of the buffers: %s', async (input) => {
    const expected = (await buffers(input, "fd_type in ('ipv4', 'ipv6', 'unix')")).flatMap(
      ({ number, bytes, size }) => {
        const row = decodeHttp(bytes, size);
        return row === undefined ? [] : [[number, ...row]];
      },
    );
    const rows = await ask('select * from http order by number', input);
    expect(rows.length).toBeGreaterThan(0);
    expect(
      rows.map(({ number, kind, method, target, status }) => [
        String(number),
        kind,
        method,
        target,
        status === null ? null : Number(status),
      ]),
    ).toEqual(expected);
  });

  it('pairs each response with the request before it', async () => {
    const sql = `select kind, direction, latency, ts_uts - lag(ts_uts) over (partition by pid, fd order by number) as gap
      from http order by number`;
    for (const { kind, latency, gap } of await ask(sql, join(fixtures, 'incident.scap')))
      expect(latency).toBe(kind === 'response' ? gap : null);
  });
});
