import { type Mark, parseYaml, YamlError, type YamlNode } from '../falco/yaml.js';
import type { Diagnostic } from '../finding.js';
import type { RuleText } from '../language.js';
import { detectionOf } from './detection.js';
import { excerpt, SigmaError, UnsupportedError } from './errors.js';
import type { Expression } from './expression.js';
import type { Placeholders } from './modifiers.js';
import { textOf, textsOf, wordOf } from './value.js';

/** A parsed rule. */
export interface SigmaRule {
  title: string;
  id: string | undefined;
  name: string | undefined;
  level: string;
  status: string | undefined;
  tags: string[];
  description: string;
  author: string | undefined;
  license: string | undefined;
  references: string[];
  falsePositives: string[];
  /** Fields that the author recommends for analysis. */
  fields: string[];
  logsource: LogSource;
  /** The condition; undefined if sfkit cannot evaluate the rule. */
  detection: Expression | undefined;
  unsupported: string | undefined;
  file: string;
  /** From 1. */
  line: number;
}

export interface LogSource {
  category?: string;
  product?: string;
  service?: string;
}

export const sigmaLevels = ['informational', 'low', 'medium', 'high', 'critical'] as const;
const statuses = ['stable', 'test', 'experimental', 'deprecated', 'unsupported'];

const defaultLevel = 'medium';

const maxTitle = 256;

/** Maximum nodes of a file, counting repeated aliases each time. */
const maxNodes = 1_000_000;

export interface LoadedFile {
  rules: SigmaRule[];
  diagnostics: Diagnostic[];
}

/** Loads the rules of a file, one per document. */
export function loadSigmaFile(
  { name: file, content }: RuleText,
  placeholders: Placeholders = new Map(),
): LoadedFile {
  const rules: SigmaRule[] = [];
  const diagnostics: Diagnostic[] = [];
  const note = (severity: Diagnostic['severity'], code: string, message: string, mark: Mark) => {
    diagnostics.push({
      severity,
      code,
      message,
      file,
      line: mark.line + 1,
      column: mark.column + 1,
    });
  };
  try {
    const documents = parseYaml(content);
    rejectAliasBombs(documents);
    for (const document of documents) {
      const warn = (message: string, mark: Mark) => note('warning', 'SIGMA_UNUSUAL', message, mark);
      rules.push({ ...ruleOf(document, placeholders, warn), file, line: document.mark.line + 1 });
    }
    if (documents.length === 0)
      note('warning', 'SIGMA_EMPTY', 'the file contains no rule', {
        offset: 0,
        line: 0,
        column: 0,
      });
  } catch (error) {
    if (error instanceof YamlError) note('error', 'SIGMA_YAML', error.message, error.mark);
    else if (error instanceof SigmaError) note('error', 'SIGMA_RULE', error.message, error.mark);
    else throw error;
  }
  return { rules, diagnostics };
}

/** Nested aliases may expand beyond available memory. */
function rejectAliasBombs(documents: readonly YamlNode[]): void {
  const sizes = new Map<YamlNode, number>();
  const sizeOf = (node: YamlNode): number => {
    const known = sizes.get(node);
    if (known !== undefined) return known;
    const inner =
      node.kind === 'sequence'
        ? node.items
        : node.kind === 'map'
          ? node.pairs.flatMap(({ key, value }) => [key, value])
          : [];
    const size = inner.reduce((sum, item) => sum + sizeOf(item), 1);
    sizes.set(node, size);
    if (size > maxNodes)
      throw new SigmaError(`it has more than ${maxNodes} values with aliases expanded`, node.mark);
    return size;
  };
  for (const document of documents) sizeOf(document);
}

type Warn = (message: string, mark: Mark) => void;

function ruleOf(
  node: YamlNode,
  placeholders: Placeholders,
  warn: Warn,
): Omit<SigmaRule, 'file' | 'line'> {
  if (node.kind !== 'map')
    throw new SigmaError('a rule must be a map with title, logsource and detection', node.mark);
  rejectDuplicateKeys(node);
  const head = headOf(node, warn);
  const kind = unsupportedKind(node);
  if (kind !== undefined)
    return { ...head, logsource: {}, detection: undefined, unsupported: kind };
  const logsource = logSourceOf(node);
  const detection = node.get('detection');
  if (detection === undefined) throw new SigmaError("the rule has no 'detection'", node.mark);
  try {
    return {
      ...head,
      logsource,
      detection: detectionOf(detection, placeholders),
      unsupported: undefined,
    };
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    return { ...head, logsource, detection: undefined, unsupported: error.message };
  }
}

function rejectDuplicateKeys(node: YamlNode & { kind: 'map' }): void {
  const seen = new Set<string>();
  for (const { key } of node.pairs) {
    if (key.kind !== 'scalar') throw new SigmaError('a key must be a text', key.mark);
    if (seen.has(key.text)) throw new SigmaError(`duplicate key '${excerpt(key.text)}'`, key.mark);
    seen.add(key.text);
  }
}

/** Reason for Sigma documents that are not detection rules. */
function unsupportedKind(node: YamlNode & { kind: 'map' }): string | undefined {
  if (node.get('correlation') !== undefined)
    return 'it is a correlation, which sfkit does not support';
  if (node.get('filter') !== undefined)
    return 'it is a filter for other rules, which sfkit does not support';
  if (node.get('action') !== undefined)
    return "it is part of a collection with 'action', which Sigma no longer supports";
  return undefined;
}

function headOf(node: YamlNode & { kind: 'map' }, warn: Warn) {
  const title = textOf(node.get('title'), "'title'");
  if (title === undefined || title.trim() === '')
    throw new SigmaError("the rule has no 'title'", node.mark);
  if (title.length > maxTitle)
    throw new SigmaError(
      `'title' has more than ${maxTitle} characters`,
      (node.get('title') as YamlNode).mark,
    );
  warnOfForms(node, warn);
  return {
    title,
    id: textOf(node.get('id'), "'id'"),
    name: textOf(node.get('name'), "'name'"),
    level: wordOf(node.get('level'), "'level'", sigmaLevels) ?? defaultLevel,
    status: wordOf(node.get('status'), "'status'", statuses),
    tags: [...new Set(textsOf(node.get('tags'), "'tags'").map(({ text }) => text))],
    description: textOf(node.get('description'), "'description'") ?? '',
    author: textOf(node.get('author'), "'author'"),
    license: textOf(node.get('license'), "'license'"),
    references: textsOf(node.get('references'), "'references'").map(({ text }) => text),
    falsePositives: textsOf(node.get('falsepositives'), "'falsepositives'").map(({ text }) => text),
    fields: textsOf(node.get('fields'), "'fields'").map(({ text }) => text),
  };
}

const forms: readonly [key: string, form: RegExp, expected: string][] = [
  ['id', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'a UUID'],
  ['date', /^\d{4}([-/])\d{1,2}\1\d{1,2}$/, 'a date like 2026-01-31'],
  ['modified', /^\d{4}([-/])\d{1,2}\1\d{1,2}$/, 'a date like 2026-01-31'],
  ['tags', /^[a-z0-9_-]+\.[a-z0-9._-]+$/, 'a namespace and a name, like attack.t1059'],
];

/** Warns about formats that the specification requires but evaluation does not need. */
function warnOfForms(node: YamlNode & { kind: 'map' }, warn: Warn): void {
  for (const [key, form, expected] of forms) {
    for (const { text, mark } of textsOf(node.get(key), `'${key}'`)) {
      if (!form.test(text)) warn(`'${key}' must be ${expected}, found '${excerpt(text)}'`, mark);
    }
  }
}

function logSourceOf(node: YamlNode & { kind: 'map' }): LogSource {
  const logsource = node.get('logsource');
  if (logsource === undefined) throw new SigmaError("the rule has no 'logsource'", node.mark);
  if (logsource.kind !== 'map')
    throw new SigmaError(
      "'logsource' must be a map with category, product or service",
      logsource.mark,
    );
  const found: LogSource = {};
  for (const key of ['category', 'product', 'service'] as const) {
    const text = textOf(logsource.get(key), `'${key}'`);
    if (text !== undefined) found[key] = text;
  }
  if (Object.keys(found).length === 0)
    throw new SigmaError("'logsource' has no category, product or service", logsource.mark);
  return found;
}
