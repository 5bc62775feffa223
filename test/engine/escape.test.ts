import { expect, it } from 'vitest';
import { escapeForTerminal } from '../../src/engine/escape.js';

it('shows what would steer a terminal or reorder text, and leaves other text alone', () => {
  expect(escapeForTerminal('\u001b]0;x\u0007\n\u009b1m\u202e\u007f')).toBe('\\x1b]0;x\\x07\\x0a\\x9b1m\\u202e\\x7f');
  expect(escapeForTerminal('/home/jürgen/日本 \\x1b')).toBe('/home/jürgen/日本 \\x1b');
});
