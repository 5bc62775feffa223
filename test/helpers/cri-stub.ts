import * as grpc from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { criInterface, criOptions } from '../../src/live/runtimes/cri.js';

export interface CriAnswers {
  /** Name of the runtime. Default: containerd. */
  name?: string;
  /** Answers of ContainerStatus and PodSandboxStatus by full id. */
  containers?: Record<string, object>;
  sandboxes?: Record<string, object>;
}

type Call = { request: Record<string, string> };
type Done = (error: object | null, answer?: object) => void;

/** Starts a CRI runtime on a unix socket. Returns a function that stops it. */
export async function startCri(
  path: string,
  { name = 'containerd', containers = {}, sandboxes = {} }: CriAnswers,
): Promise<() => void> {
  const loaded = grpc.loadPackageDefinition(
    fromJSON(criInterface as never, criOptions),
  ) as never as {
    runtime: { v1: { RuntimeService: { service: grpc.ServiceDefinition } } };
  };
  const find = (known: Record<string, object>, wanted: string, done: Done) => {
    const key = Object.keys(known).find((candidate) => candidate.startsWith(wanted));
    if (key === undefined) done({ code: grpc.status.NOT_FOUND, details: 'not found' });
    else done(null, known[key]);
  };
  const server = new grpc.Server();
  server.addService(loaded.runtime.v1.RuntimeService.service, {
    Version: (_: Call, done: Done) => done(null, { runtime_name: name }),
    ContainerStatus: ({ request }: Call, done: Done) =>
      find(containers, request.container_id as string, done),
    PodSandboxStatus: ({ request }: Call, done: Done) =>
      find(sandboxes, request.pod_sandbox_id as string, done),
  } as never);
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix:${path}`, grpc.ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    ),
  );
  return () => server.forceShutdown();
}
