import { describe, expect, it } from 'vitest';
import { isAtLeast, levelOf, levels, parseLevel, rankOf } from '../../src/check/levels.js';

describe('levels', () => {
  it('are those of syslog, most severe first', () => {
    expect(levels.map(rankOf)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it.each([
    ['Critical', 'critical'],
    ['high', 'error'],
    ['medium', 'warning'],
    ['low', 'notice'],
    ['INFO', 'informational'],
  ])('%s means %s', (word, level) => {
    expect(levelOf(word)).toBe(level);
  });

  it('compare words of different languages', () => {
    expect(isAtLeast('high', 'error')).toBe(true);
    expect(isAtLeast('medium', 'error')).toBe(false);
    expect(isAtLeast('emergency', 'debug')).toBe(true);
  });

  it('rank an unknown word as the least severe', () => {
    expect(rankOf('whatever')).toBe(rankOf('debug'));
    expect(levelOf('whatever')).toBeUndefined();
  });

  it('of an option are rejected if unknown, with a suggestion', () => {
    expect(parseLevel('--min-level', 'Warning')).toBe('warning');
    expect(() => parseLevel('--min-level', 'warnign')).toThrow(
      "--min-level: 'warnign' is not a level; did you mean 'warning'?",
    );
    expect(() => parseLevel('--min-level', 'severe!')).toThrow(
      'expected one of emergency, alert, critical',
    );
  });
});
