import { dirname } from 'node:path';
import { SfkitError } from '../engine/errors.js';
import { nearest } from '../engine/nearest.js';
import { falco } from './falco/falco.js';
import type { RuleLanguage, RuleText } from './language.js';
import { sigma } from './sigma/sigma.js';
import { sql } from './sql/sql.js';
import { sysflow } from './sysflow/sysflow.js';

/**
 * In order of priority, lowest first: the last language that recognizes a file reads it, else the
 * first in the list.
 */
const languages: readonly [RuleLanguage, ...RuleLanguage[]] = [falco, sysflow, sigma, sql];

export const ruleLanguages: readonly string[] = languages.map(({ name }) => name);

/** Whether to read a file in a subdirectory as rules. */
export function isNestedFile(file: RuleText): boolean {
  return recognize(file)?.isNested === true;
}

const rule = /^\s*-\s+["']?rule["']?\s*:/m;

/** Groups files by language: the wanted one, or else the one that recognizes each file. */
export function byLanguage(
  files: readonly RuleText[],
  wanted: string | undefined,
): { language: RuleLanguage; files: RuleText[] }[] {
  const known = languages.find(({ name }) => name === wanted);
  if (wanted !== undefined && known === undefined) {
    const likely = nearest(wanted, ruleLanguages);
    const advice =
      likely === undefined
        ? `expected one of ${ruleLanguages.join(', ')}`
        : `did you mean '${likely}'?`;
    throw new SfkitError('INVALID_ARGUMENT', `'${wanted}' is not a rule language; ${advice}`);
  }
  const recognized = new Map(files.map((file) => [file, known ?? recognize(file)]));
  // Falco and SysFlow share the syntax of lists and macros. A file with only these belongs to the
  // rules next to it.
  const policies = new Set(
    files.filter((file) => recognized.get(file) === sysflow).map(({ name }) => dirname(name)),
  );
  const isShared = (file: RuleText) => policies.has(dirname(file.name)) && !rule.test(file.content);
  const languageOf = (file: RuleText) => {
    const likely = recognized.get(file) ?? languages[0];
    return known === undefined && likely === falco && isShared(file) ? sysflow : likely;
  };
  const assigned = files.map((file) => ({ file, language: languageOf(file) }));
  return languages
    .map((language) => ({
      language,
      files: assigned.filter((one) => one.language === language).map(({ file }) => file),
    }))
    .filter(({ files }) => files.length > 0);
}

function recognize({ content }: RuleText): RuleLanguage | undefined {
  return languages.findLast((language) => language.recognizes(content));
}
