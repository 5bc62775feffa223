import { parseYamlWithLibrary } from './yaml-library.js';
import { Lines, type YamlNode } from './yaml-nodes.js';
import { parseSimpleYaml } from './yaml-simple.js';

// YAML as the Falco engine reads it: scalars are text as written, the first of duplicate keys
// counts, and merge keys have no meaning.

export {
  type MapNode,
  type Mark,
  type NullNode,
  type ScalarNode,
  type SequenceNode,
  YamlError,
  type YamlNode,
} from './yaml-nodes.js';

/** The documents of a text, except empty ones. Throws YamlError if it is not valid YAML. */
export function parseYaml(content: string): YamlNode[] {
  // A byte order mark is not part of the text.
  const text = content.startsWith('\ufeff') ? content.slice(1) : content;
  const lines = new Lines(text);
  return parseSimpleYaml(text, lines) ?? parseYamlWithLibrary(text, lines);
}
