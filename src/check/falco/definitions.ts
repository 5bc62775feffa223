import type { Level } from '../levels.js';
import type { Composed } from './composed.js';
import type { Place } from './diagnostics.js';

/** Lists, macros and rules as they were collected of all files so far. */
interface Definition {
  name: string;
  /** Where it was defined last. */
  place: Place;
  /** Its place in the order, which later definitions of the name keep. */
  index: number;
  /** When it was changed last: it sees what is above that. */
  visibility: number;
}

export interface ListDefinition extends Definition {
  items: Composed[];
}

export interface MacroDefinition extends Definition {
  condition: Composed;
  conditionPlace: Place;
}

export interface RuleDefinition extends Definition {
  condition: Composed;
  conditionPlace: Place;
  output: Composed;
  outputPlace: Place;
  description: string;
  level: Level;
  source: string;
  isUnknownSource: boolean;
  enabled: boolean;
  tags: Set<string>;
  exceptions: ExceptionDefinition[];
  warnEventTypes: boolean;
  skipIfUnknownFilter: boolean;
}

/** A text or a list, as exceptions have them. */
export interface Entry {
  isList: boolean;
  /** Of a text; empty for none. */
  item: Composed;
  items: Entry[];
}

export interface ExceptionDefinition {
  name: string;
  place: Place;
  fields: Entry;
  comps: Entry;
  values: Entry[];
}

/** What an item changes of a rule that is there. */
export interface RuleUpdate {
  name: string;
  place: Place;
  source?: string | undefined;
  condition?: Composed | undefined;
  output?: Composed | undefined;
  description?: string | undefined;
  tags?: Set<string> | undefined;
  exceptions?: ExceptionDefinition[] | undefined;
  level?: Level | undefined;
  enabled?: boolean | undefined;
  warnEventTypes?: boolean | undefined;
  skipIfUnknownFilter?: boolean | undefined;
  /** What sfkit does not use: it is checked and counts as a change. */
  capture?: boolean | undefined;
  captureDuration?: number | undefined;
}
