import type { Session, UnknownContainer } from '../engine/session.js';
import type { KubernetesSettings } from './kubernetes/settings.js';
import { type KubernetesTimes, watchKubernetes } from './kubernetes/watcher.js';

/**
 * Returns the description of a container, as in captures ({"container":{...}}); undefined if
 * unknown.
 */
export type DescribeContainer = (container: UnknownContainer) => Promise<string | undefined>;

/** Time between checks whether a capture runs, in ms. */
const startCheck = 50;

/**
 * Adds events of the Kubernetes API to a live capture once it runs. `warn` gets each problem once;
 * the capture goes on without the API.
 */
export function followKubernetes(
  session: Session<unknown>,
  settings: KubernetesSettings,
  warn: (message: string) => void,
  times?: KubernetesTimes,
): { close(): void } {
  let watcher: { close(): void } | undefined;
  const timer = setInterval(() => {
    if (!session.summary().live.running) return;
    clearInterval(timer);
    watcher = watchKubernetes(settings, (json) => session.addKubernetesEvent(json), warn, times);
  }, startCheck);
  timer.unref();
  return {
    close() {
      clearInterval(timer);
      watcher?.close();
    },
  };
}

/** Adds descriptions of new containers to a live capture, asynchronously. */
export function followContainers(session: Session<unknown>, describe: DescribeContainer): void {
  for (const container of session.takeUnknownContainers()) {
    describe(container).then(
      (json) => json !== undefined && session.describeContainer(json),
      // A missing description must not end the capture.
      () => {},
    );
  }
}
