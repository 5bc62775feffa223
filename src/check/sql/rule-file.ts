import type { RuleText } from '../language.js';
import { levelOf } from '../levels.js';
import { yamlPackage } from '../yaml-package.js';

// A rule in SQL: comment lines with YAML, then one SELECT.

export interface SqlRuleFile {
  file: RuleText;
  id: string | undefined;
  title: string;
  level: string;
  tags: readonly string[];
  description: string;
  sql: string;
  /** First line of the SQL, from 1. */
  sqlLine: number;
}

export interface SqlRemark {
  severity: 'error' | 'warning';
  code: string;
  message: string;
  file: RuleText;
  /** From 1. */
  line: number;
}

const keys = ['id', 'title', 'level', 'tags', 'description'];

const defaultLevel = 'medium';

/** Whether a text starts with comment lines that include a title. */
export function looksLikeSqlRule(content: string): boolean {
  return /^--[ \t]*title[ \t]*:/m.test(headOf(content));
}

/** The comment lines at the start of a text. */
function headOf(content: string): string {
  return /^(?:\ufeff?(?:--[^\n]*|[ \t\r]*)(?:\n|$))*/.exec(content.slice(0, maxHead))?.[0] ?? '';
}

/** Maximum characters of these comment lines. */
const maxHead = 64 << 10;

/**
 * Reads a rule. If its comment lines are not usable, the rule is undefined and a remark says why.
 */
export function readSqlRule(file: RuleText): {
  rule: SqlRuleFile | undefined;
  remarks: SqlRemark[];
} {
  const remarks: SqlRemark[] = [];
  const remark = (severity: SqlRemark['severity'], code: string, message: string, line = 1) => {
    remarks.push({ severity, code, message, file, line });
  };
  const head = headOf(file.content);
  const document = yamlPackage().parseDocument(head.replace(/^\ufeff?--[ \t]?/gm, ''), {
    uniqueKeys: true,
  });
  const problem = document.errors[0];
  if (problem !== undefined) {
    const line = problem.linePos?.[0].line ?? 1;
    remark(
      'error',
      'SQL_RULE_HEAD',
      `the comment before the SQL is not YAML: ${firstLine(problem.message)}`,
      line,
    );
    return { rule: undefined, remarks };
  }
  const found: unknown = document.toJS({ maxAliasCount: 100 });
  const fields = isRecord(found) ? found : {};
  for (const key of Object.keys(fields).filter((key) => !keys.includes(key)))
    remark('warning', 'SQL_RULE_KEY', `unknown key '${key}'; expected one of ${keys.join(', ')}`);
  const title = textOf(fields.title);
  const level = fields.level === undefined ? defaultLevel : textOf(fields.level);
  const tags = fields.tags ?? [];
  const sql = file.content.slice(head.length);
  if (title === '')
    remark(
      'error',
      'SQL_RULE_TITLE',
      'a rule in SQL must start with comment lines, including `-- title: …`',
    );
  if (levelOf(level) === undefined)
    remark(
      'error',
      'SQL_RULE_LEVEL',
      `'${level}' is not a level; expected a level such as low, medium or high`,
    );
  if (!Array.isArray(tags))
    remark('error', 'SQL_RULE_TAGS', 'tags must be a list, such as [one, two]');
  if (sql.replace(/;/g, '').trim() === '')
    remark('error', 'SQL_RULE_EMPTY', 'there is no SQL after the comment');
  if (remarks.some(({ severity }) => severity === 'error')) return { rule: undefined, remarks };
  const rule = {
    file,
    id: fields.id === undefined ? undefined : textOf(fields.id),
    title,
    level: level.toLowerCase(),
    tags: (tags as unknown[]).map(textOf).filter((tag) => tag !== ''),
    description: textOf(fields.description),
    sql,
    sqlLine: head.split('\n').length,
  };
  return { rule, remarks };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] as string;
}
