import type { Session, UnknownContainer } from '../engine/session.js';

/** What is known of a container, as captures have it ({"container":{...}}); undefined if nothing is. */
export type DescribeContainer = (container: UnknownContainer) => Promise<string | undefined>;

/** Puts what `describe` finds out about containers of a live capture into it. It is not waited for. */
export function followContainers(session: Session<unknown>, describe: DescribeContainer): void {
  for (const container of session.takeUnknownContainers()) {
    describe(container).then(
      (json) => json !== undefined && session.describeContainer(json),
      // What is not known of a container is no reason to end.
      () => {},
    );
  }
}
