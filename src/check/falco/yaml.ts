import { parseAnyYaml } from './yaml-any.js';
import { Lines, type YamlNode } from './yaml-nodes.js';
import { parseUsualYaml } from './yaml-usual.js';

// YAML as the rules engine reads it: scalars are text as written, of a key that stands twice the first counts, merge
// keys mean nothing.

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
  // A mark of byte order is not a part of the text.
  const text = content.startsWith('\ufeff') ? content.slice(1) : content;
  const lines = new Lines(text);
  return parseUsualYaml(text, lines) ?? parseAnyYaml(text, lines);
}
