import type { Level } from '../levels.js';
import type { Composed } from './composed.js';
import type { Place } from './diagnostics.js';

/** A list, macro or rule as the files so far define it. */
interface Definition {
  name: string;
  /** Location of the last definition. */
  place: Place;
  /** Position in the order of definitions; later definitions of the same name keep it. */
  index: number;
  /** Position of the last change: the definition can use only what comes before it. */
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

/** A text or a list in an exception. */
export interface Entry {
  isList: boolean;
  /** The text; empty for a list. */
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

/** Changes of an item to an existing rule. */
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
  /** Not used by sfkit, but checked, and counts as a change. */
  capture?: boolean | undefined;
  captureDuration?: number | undefined;
}
