import type { Session, UnknownContainer } from '../engine/session.js';

/**
 * Returns the description of a container, as in captures ({"container":{...}}); undefined if
 * unknown.
 */
export type DescribeContainer = (container: UnknownContainer) => Promise<string | undefined>;

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
