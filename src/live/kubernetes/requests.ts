import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { type Answer, object } from '../runtimes/description.js';
import type { KubernetesSettings } from './settings.js';

/** Maximum bytes of a list's page, and of one object in a watch. */
const maxPage = 32 << 20;
const maxLine = 4 << 20;
const maxToken = 64 << 10;

/** An answer of the API with an error status. */
export class StatusError extends Error {
  constructor(readonly status: number) {
    super(`the Kubernetes API answered with status ${status}`);
  }
}

export interface Times {
  /** Maximum time for a complete answer, or for the start of a watch, in ms. */
  answer: number;
  /** Maximum time of a watch without any data, in ms. */
  silence: number;
}

/** A JSON answer. */
export async function get(
  settings: KubernetesSettings,
  path: string,
  times: Times,
  signal: AbortSignal,
): Promise<Answer> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(times.answer)]);
  const response = await open(settings, path, limit);
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxPage) {
      response.destroy();
      throw new Error(`the answer of the Kubernetes API is longer than ${maxPage} bytes`);
    }
    parts.push(part);
  }
  return object(JSON.parse(Buffer.concat(parts).toString()));
}

/**
 * The objects of a watch, one a line. Lines that are too long are skipped: `skipped` is called for
 * each.
 */
export async function* watch(
  settings: KubernetesSettings,
  path: string,
  times: Times,
  signal: AbortSignal,
  skipped: () => void,
): AsyncGenerator<Answer> {
  const silence = new AbortController();
  const abort = () => silence.abort();
  let timer = setTimeout(abort, times.answer);
  let response: IncomingMessage | undefined;
  try {
    response = await open(settings, path, AbortSignal.any([signal, silence.signal]));
    clearTimeout(timer);
    timer = setTimeout(abort, times.silence);
    for await (const line of lines(response, skipped)) {
      clearTimeout(timer);
      timer = setTimeout(abort, times.silence);
      if (line !== '') yield object(JSON.parse(line));
    }
  } finally {
    clearTimeout(timer);
    response?.destroy();
  }
}

/** The complete lines of a stream. Yields '' for each chunk without the end of a line. */
async function* lines(chunks: AsyncIterable<Buffer>, skipped: () => void): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let size = 0;
  let isTooLong = false;
  const add = (part: Buffer) => {
    size += part.length;
    if (size > maxLine && !isTooLong) {
      isTooLong = true;
      skipped();
    }
    if (isTooLong) parts = [];
    else parts.push(part);
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      add(chunk.subarray(start, end));
      yield Buffer.concat(parts).toString();
      parts = [];
      size = 0;
      isTooLong = false;
      start = end + 1;
    }
    add(chunk.subarray(start));
    yield '';
  }
}

const newline = 10;

/** Sends the request and returns the answer once its headers are there. */
async function open(
  settings: KubernetesSettings,
  path: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { url, tokenFile, ca, clientCert, clientKey, passphrase } = settings;
  const token = tokenFile === undefined ? undefined : (await readFile(tokenFile, 'utf8')).trim();
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token.slice(0, maxToken + 1)))
    throw new Error(`${tokenFile}: this is no bearer token`);
  const headers = {
    Accept: 'application/json',
    ...(token !== undefined && { Authorization: `Bearer ${token}` }),
  };
  const target = new URL(url.pathname.replace(/\/$/, '') + path, url);
  return new Promise((resolve, reject) => {
    const take = (response: IncomingMessage) => {
      if (response.statusCode === 200) return resolve(response);
      response.destroy();
      reject(new StatusError(response.statusCode ?? 0));
    };
    const asked =
      url.protocol === 'http:'
        ? plainRequest(target, { headers, signal, agent: false }, take)
        : tlsRequest(
            target,
            { headers, signal, agent: false, ca, cert: clientCert, key: clientKey, passphrase },
            take,
          );
    asked.on('error', reject);
    asked.end();
  });
}
