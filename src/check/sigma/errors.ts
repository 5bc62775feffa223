import type { Mark } from '../falco/yaml.js';

/** The text is not valid Sigma. */
export class SigmaError extends Error {
  constructor(
    message: string,
    readonly mark: Mark,
  ) {
    super(message);
  }
}

/** The rule is valid, but sfkit cannot evaluate it. */
export class UnsupportedError extends Error {}

const maxShown = 80;

/** A text of a rule for use in a message, short enough for one line. */
export function excerpt(text: string): string {
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}
