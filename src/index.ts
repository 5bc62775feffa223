// The public library: the exports of `import 'sfkit'`. docs/api.md is generated from it. Types that
// these exports name are exported too.

export { type Capture, type CaptureOptions, openCapture } from './capture/capture.js';
export {
  type Check,
  type CheckOptions,
  type CheckReport,
  check,
  type RuleBook,
  type RuleOptions,
  readRules,
} from './check/check.js';
export type * from './check/finding.js';
export type { LanguageOptions } from './check/language.js';
export type { RuleSwitch } from './check/selection.js';
export { type CommonConvertOptions, type ConvertOptions, convert } from './convert/convert.js';
export {
  type CollectionMode,
  collectionModes,
  type DriverType,
  driverTypes,
  type ResolvedConfig,
  type SysFlowCallback,
  type SysFlowConfig,
} from './driver/config.js';
export { type RunSummary, type Statistics, SysFlowDriver } from './driver/driver.js';
export type { TimestampUnit } from './duckdb/sql-text.js';
export { openFlags, operations } from './engine/batch.js';
export {
  type ColumnSpec,
  type ColumnType,
  columns,
  schemaVersion,
  type TableColumn,
  type TableName,
  type TableSpec,
  tableColumns,
  tables,
} from './engine/columns.gen.js';
export type {
  Codec,
  CollectorOptions,
  CompatMode,
  Environment,
  FileMode,
  FileReadMode,
} from './engine/config.js';
export { SfkitError, type SfkitErrorCode } from './engine/errors.js';
export { toJson } from './engine/json.js';
export type { ReasonId, Severity } from './engine/reasons.gen.js';
export type {
  CaptureInfo,
  Damage,
  Gap,
  LiveSummary,
  ReasonCount,
  Summary,
  TableSizes,
} from './engine/summary.js';
export { SysFlowError, type SysFlowErrorCode, sysFlowErrorCodes } from './engine/sysflow-errors.js';
export { type Format, formats } from './export/plan.js';
export { EntityTable, type Joined } from './records/entities.js';
export type * from './records/types.js';
