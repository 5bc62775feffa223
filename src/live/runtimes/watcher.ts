import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { UnknownContainer } from '../../engine/session.js';
import { type CriClient, openCri } from './cri.js';
import { type ContainerDescription, containerEvent } from './description.js';
import { askDocker, askPodman } from './docker.js';

/** Where the sockets of a kind of runtime are. */
export interface RuntimeSockets {
  docker: readonly string[];
  podman: readonly string[];
  cri: readonly string[];
  /** Holds a directory for each user, by number, in which podman of that user has its socket. */
  users: string;
}

export const usualSockets: RuntimeSockets = {
  docker: ['/var/run/docker.sock'],
  podman: ['/run/podman/podman.sock'],
  cri: [
    '/run/containerd/containerd.sock',
    '/run/crio/crio.sock',
    '/run/k3s/containerd/containerd.sock',
    '/run/k0s/containerd.sock',
    '/run/host-containerd/containerd.sock',
    '/run/cri-dockerd.sock',
  ],
  users: '/run/user',
};

export interface WatcherOptions {
  /** Default: the usual ones. */
  sockets?: RuntimeSockets | undefined;
  /** The one CRI socket to ask, instead of the usual ones. */
  criPath?: string | undefined;
  /** Seconds until a container is given up. Default: 30. */
  timeout?: number | undefined;
}

/** Asks the runtimes of this machine about containers. Nobody waits for it but the container's own description. */
export interface ContainerWatcher {
  /** The text of the event that describes it; undefined if no runtime knows it. Never rejects. */
  describe(container: UnknownContainer): Promise<string | undefined>;
  close(): void;
}

/** ms between attempts: a runtime may know a container only after its first process runs. */
const pauses = [125, 250, 500, 1000, 2000] as const;
/** ms that one question may take. */
const longestQuestion = 5000;
/** Containers that one socket is asked about at a time; while more than so many wait, others are not asked about. */
const atOnce = 8;
const mostWaiting = 1024;

/** `until`: when to give up, in ms since 1970. */
type Ask = (id: string, until: number) => Promise<ContainerDescription | undefined>;

interface Runtime {
  socket: string;
  ask: Ask;
}

export function watchContainers(options: WatcherOptions = {}): ContainerWatcher {
  const usual = options.sockets ?? usualSockets;
  const sockets = options.criPath ? { ...usual, cri: [options.criPath] } : usual;
  const patience = (options.timeout ?? 30) * 1000;
  const clients = new Map<string, Promise<CriClient>>();
  let closed = false;

  const askCri = async (socket: string, id: string, until: number) => {
    let client = clients.get(socket);
    if (client === undefined) {
      client = openCri(socket);
      clients.set(socket, client);
    }
    return (await client).ask(id, until);
  };

  const runtimes = (paths: readonly string[], ask: (socket: string, ...rest: Parameters<Ask>) => ReturnType<Ask>) =>
    paths.filter(existsSync).map((socket): Runtime => ({ socket, ask: (id, until) => ask(socket, id, until) }));

  /** Whom to ask, the likeliest first; only those that are there. */
  const whomToAsk = (cgroups: string): Runtime[] => {
    const docker = runtimes(sockets.docker, askDocker);
    const podman = runtimes(sockets.podman, askPodman);
    const kubernetes = runtimes(sockets.cri, askCri);
    // Users tell of what is theirs, and of that only what the runtimes of the machine do not know.
    const [, uid] = /=\/user\.slice\/user-(\d+)\.slice\//.exec(cgroups) ?? [];
    const own = uid === undefined ? [] : runtimes([join(sockets.users, uid, 'podman/podman.sock')], askPodman);
    if (/\/libpod-/.test(cgroups)) return [...podman, ...docker, ...own];
    if (/cri-containerd|crio-|kubepods/.test(cgroups)) return [...kubernetes, ...docker];
    if (/docker[-/]/.test(cgroups)) return [...docker, ...kubernetes];
    return [...docker, ...kubernetes, ...podman, ...own];
  };

  // One that is slow, or means ill, keeps nobody from asking the others.
  const queues = new Map<string, Turns>();
  const inTurn = async ({ socket, ask }: Runtime, id: string, until: number) => {
    const queue = queues.get(socket) ?? new Turns();
    queues.set(socket, queue);
    return queue.take(() => ask(id, Math.min(until, Date.now() + longestQuestion)));
  };

  return {
    async describe({ id, cgroups }) {
      if (!/^[\w.-]+$/.test(id)) return undefined;
      const until = Date.now() + patience;
      for (let attempt = 0; !closed; attempt++) {
        for (const runtime of whomToAsk(cgroups)) {
          if (closed || Date.now() >= until) return undefined;
          const found = await inTurn(runtime, id, until).catch(() => undefined);
          if (found !== undefined) return containerEvent(found);
        }
        const pause = pauses[Math.min(attempt, pauses.length - 1)] as number;
        if (Date.now() + pause >= until) return undefined;
        await new Promise((resolve) => setTimeout(resolve, pause).unref());
      }
      return undefined;
    },
    close() {
      closed = true;
      for (const client of clients.values()) {
        client.then((open) => open.close()).catch(() => {});
      }
    },
  };
}

/** Lets so many run at a time. */
class Turns {
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  async take<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running < atOnce) this.#running += 1;
    else if (this.#waiting.length >= mostWaiting) throw new Error('too many wait');
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      // Whoever waits takes over the place.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
