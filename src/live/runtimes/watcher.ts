import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { NativeUnknownContainer } from '../../engine/native.js';
import { type CriClient, openCri } from './cri.js';
import { type ContainerDescription, containerEvent } from './description.js';
import { askDocker, askPodman } from './docker.js';

/** Where the sockets of a kind of runtime are. */
export interface RuntimeSockets {
  docker: readonly string[];
  podman: readonly string[];
  cri: readonly string[];
}

/** Those that are usual; those of podman are looked for, as each user may have one. */
export function usualSockets(): RuntimeSockets {
  return {
    docker: ['/var/run/docker.sock'],
    podman: ['/run/podman/podman.sock', ...ofUsers('podman/podman.sock')],
    cri: [
      '/run/containerd/containerd.sock',
      '/run/crio/crio.sock',
      '/run/k3s/containerd/containerd.sock',
      '/run/k0s/containerd.sock',
      '/run/host-containerd/containerd.sock',
      '/run/cri-dockerd.sock',
    ],
  };
}

function ofUsers(name: string): string[] {
  try {
    return readdirSync('/run/user').map((uid) => join('/run/user', uid, name));
  } catch {
    return [];
  }
}

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
  describe(container: NativeUnknownContainer): Promise<string | undefined>;
  close(): void;
}

/** ms between attempts: a runtime may know a container only after its first process runs. */
const pauses = [125, 250, 500, 1000, 2000] as const;
/** ms that one question may take. */
const longestQuestion = 5000;
/** Containers that are asked about at a time; more than so many waiting are not asked about. */
const atOnce = 8;
const mostWaiting = 1024;

type Ask = (id: string, timeout: number) => Promise<ContainerDescription | undefined>;

export function watchContainers(options: WatcherOptions = {}): ContainerWatcher {
  const usual = options.sockets ?? usualSockets();
  const sockets = options.criPath ? { ...usual, cri: [options.criPath] } : usual;
  const patience = (options.timeout ?? 30) * 1000;
  const clients = new Map<string, Promise<CriClient>>();
  let closed = false;

  const cri =
    (socket: string): Ask =>
    async (id, timeout) => {
      let client = clients.get(socket);
      if (client === undefined) {
        client = openCri(socket);
        clients.set(socket, client);
      }
      return (await client).ask(id, timeout);
    };

  /** Whom to ask, the likeliest first; only those that are there. */
  const asks = (cgroups: string): Ask[] => {
    const docker = sockets.docker.filter(existsSync).map(
      (path): Ask =>
        (id, timeout) =>
          askDocker(path, id, timeout),
    );
    const podman = sockets.podman.filter(existsSync).map(
      (path): Ask =>
        (id, timeout) =>
          askPodman(path, id, timeout),
    );
    const kubernetes = sockets.cri.filter(existsSync).map(cri);
    if (/\/libpod-/.test(cgroups)) return [...podman, ...docker];
    if (/cri-containerd|crio-|kubepods/.test(cgroups)) return [...kubernetes, ...docker];
    if (/docker[-/]/.test(cgroups)) return [...docker, ...kubernetes];
    return [...docker, ...kubernetes, ...podman];
  };

  const waiting: (() => void)[] = [];
  let running = 0;
  const turn = async () => {
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    running += 1;
  };
  const done = () => {
    running -= 1;
    waiting.shift()?.();
  };

  return {
    async describe({ id, cgroups }) {
      if (!/^[\w.-]+$/.test(id) || waiting.length >= mostWaiting) return undefined;
      const deadline = Date.now() + patience;
      for (let attempt = 0; !closed; attempt++) {
        await turn();
        try {
          for (const ask of closed ? [] : asks(cgroups)) {
            const timeout = Math.min(longestQuestion, deadline - Date.now());
            if (timeout <= 0) return undefined;
            const found = await ask(id, timeout).catch(() => undefined);
            if (found !== undefined) return containerEvent(found);
          }
        } finally {
          done();
        }
        const pause = pauses[Math.min(attempt, pauses.length - 1)] as number;
        if (Date.now() + pause >= deadline) return undefined;
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
