/** The engine whose rules are followed: what is newer may mean something else. */
export const engineVersion = [0, 62, 0] as const;

export type Version = readonly number[];

/** The three numbers of a version, whatever comes after them; undefined where there are none. */
export function parseVersion(text: string): Version | undefined {
  const [, ...numbers] = /^\s*(\d{1,9})\.(\d{1,9})\.(\d{1,9})/.exec(text) ?? [];
  return numbers.length === 3 ? numbers.map(Number) : undefined;
}

/** Whether what is there does for what is asked: the same major version, and nothing newer. */
export function isCompatible(there: Version, asked: Version): boolean {
  const [major = 0, minor = 0, patch = 0] = there;
  const [askedMajor = 0, askedMinor = 0, askedPatch = 0] = asked;
  if (major !== askedMajor) return false;
  return minor !== askedMinor ? minor > askedMinor : patch >= askedPatch;
}

export function isCompatibleEngine(asked: Version): boolean {
  return isCompatible(engineVersion, asked);
}
