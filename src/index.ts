// The public library: the exports of `import 'sfkit'`.

export { type Check, type CheckOptions, type CheckReport, check, type RuleBook, readRules } from './check/check.js';
export type * from './check/finding.js';
export { type ConvertOptions, convert } from './convert/convert.js';
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
export type { Environment } from './driver/environment.js';
export { SysFlowError, type SysFlowErrorCode, sysFlowErrorCodes } from './driver/errors.js';
export { type CellValue, Column, ColumnBatch, operations } from './engine/batch.js';
export {
  type ColumnSpec,
  columns,
  type TableColumn,
  type TableName,
  tableColumns,
  tables,
} from './engine/columns.gen.js';
export type { CollectorOptions, CompatMode, FileMode, FileReadMode, SessionConfig } from './engine/config.js';
export { SfkitError, type SfkitErrorCode } from './engine/errors.js';
export { openAvro, openColumns, readSummary, type Session, type Summary } from './engine/session.js';
export { type Conversion, type Format, formats, planConversions } from './export/plan.js';
export { type Capture, type CaptureOptions, openCapture } from './records/capture.js';
export { EntityTable, type Joined } from './records/entities.js';
export type * from './records/types.js';
