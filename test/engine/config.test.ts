import { describe, expect, it } from 'vitest';
import { type SessionConfig, toNativeConfig } from '../../src/engine/config.js';

describe('a session config', () => {
  it('has the defaults of the collector', () => {
    expect(toNativeConfig({ input: 'a', output: 'avro' })).toMatchObject({
      kind: 'auto',
      exporter: '',
      nodeIp: '',
      filename: '',
      fileReadMode: 2,
      fileOnly: true,
      processFlow: true,
      containersOnly: false,
      maxMemory: 0,
      compat: '',
    });
  });

  it.each([
    [{ input: 1 }, "option 'input' must be a string"],
    [
      { fileReadMode: 'slect' },
      "option 'fileReadMode' must be one of all, none, select; did you mean 'select'?",
    ],
    [{ compat: 'x' }, "option 'compat' must be one of sysflow-0.7"],
    [{ tables: ['files'] }, "unknown table 'files'; did you mean 'file'?"],
    [{ batchRows: 0 }, "option 'batchRows' must be a whole number from 1 to 122880"],
    [{ fileonly: true }, "unknown option 'fileonly'; did you mean 'fileOnly'?"],
    [
      { maxMemory: 31_999_999 },
      "option 'maxMemory' must be a whole number from 32000000 to 9007199254740991",
    ],
    [{ exporter: 'a\0b' }, "option 'exporter' must not contain a NUL character"],
  ])('%j is rejected with a helpful message', (part, message) => {
    expect(() =>
      toNativeConfig({ input: 'a', output: 'columns', ...part } as unknown as SessionConfig),
    ).toThrow(message);
  });
});
