import { describe, expect, it } from 'vitest';
import type { FalcoDiagnostic } from '../../../src/check/falco/diagnostics.js';
import { type FileLoad, loadFalcoRules } from '../../../src/check/falco/load.js';
import { hasTruth, type LoaderCase, loaderCases } from './truth.js';

const ofSeverity = (
  { itemDiagnostics, definitionDiagnostics }: FileLoad,
  wanted: FalcoDiagnostic['severity'],
) =>
  [...itemDiagnostics, ...definitionDiagnostics]
    .filter(({ severity }) => severity === wanted)
    .map(({ code, contexts }) => ({
      code,
      at: contexts.slice(-2).map(({ kind, name, mark }) => [kind, name, mark.line]),
    }));

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

function ours({ files, result }: LoaderCase) {
  const loaded = loadFalcoRules(files);
  const loads = loaded.loads.map((load) => ({
    file: load.file,
    errors: ofSeverity(load, 'error'),
    warnings: ofSeverity(load, 'warning'),
  }));
  if (!result.ok || !result.lists) return { ok: loaded.isOk, loads };
  const taken = loaded.rules.filter(({ condition }) => condition !== undefined);
  return {
    ok: loaded.isOk,
    loads,
    rules: taken.map(({ definition, condition }) => ({
      name: definition.name,
      priority: capital(definition.level),
      enabled: definition.enabled,
      tags: [...definition.tags].sort(),
      output: definition.output.text,
      condition,
    })),
    macros: loaded.macros.map(({ name, condition, isUsed }) => ({ name, condition, used: isUsed })),
    lists: loaded.lists.map(({ name, items, isUsed }) => ({ name, items, used: isUsed })),
    enabled: taken.filter(({ definition }) => definition.enabled).length,
  };
}

function theirs({ result }: LoaderCase) {
  const loads = result.loads.map(({ file, errors, warnings }) => ({
    file,
    errors: errors.map(({ code, at }) => ({ code, at })),
    warnings: warnings.map(({ code, at }) => ({ code, at })),
  }));
  const { ok, rules, macros, lists, enabled_count: enabled } = result;
  if (!ok || !lists) return { ok, loads };
  return {
    ok,
    loads,
    rules: rules?.map(({ name, priority, enabled, tags, output, condition }) => ({
      name,
      priority,
      enabled,
      tags,
      output,
      condition,
    })),
    macros: macros?.map(({ name, condition, used }) => ({ name, condition, used })),
    lists: lists.map(({ name, items, used }) => ({ name, items, used })),
    enabled,
  };
}

describe.skipIf(!hasTruth)(
  'rule files are accepted and rejected as by the Falco engine (needs ../shared)',
  () => {
    it.each([
      ['cases', 219],
      ['probes', 209],
    ] as const)('%s: %d', (name, count) => {
      const cases = loaderCases(name);
      expect(cases).toHaveLength(count);
      for (const one of cases) expect(ours(one), one.name).toEqual(theirs(one));
    });

    it('each diagnostic has a location in its file and a message', () => {
      for (const one of [...loaderCases('cases'), ...loaderCases('probes')]) {
        for (const { itemDiagnostics, definitionDiagnostics } of loadFalcoRules(one.files).loads) {
          for (const { file, line, column, message, snippet } of [
            ...itemDiagnostics,
            ...definitionDiagnostics,
          ]) {
            const content = one.files.find(({ name }) => name === file)?.content ?? '';
            const lines = content.replace(/^\ufeff/, '').split('\n');
            expect(line, `${one.name}: ${message}`).toBeLessThanOrEqual(lines.length);
            expect(column, `${one.name}: ${message}`).toBeLessThanOrEqual(
              (lines[line - 1]?.length ?? 0) + 1,
            );
            expect(message).toMatch(/^\S/);
            expect(message).not.toContain('undefined');
            expect(snippet).toMatch(/\^$/);
          }
        }
      }
    });
  },
);
