// Calls back for every event and flow of a capture. Usage: node callback.mjs CAPTURE [FILTER]
import { operations, SysFlowDriver, SysFlowError } from 'sfkit';

const [scapInputPath, falcoFilter = ''] = process.argv.slice(2);

try {
  const driver = new SysFlowDriver({
    scapInputPath,
    falcoFilter,
    callback(_header, container, process_, file1, _file2, record) {
      const what = 'opFlags' in record ? operations(record.opFlags).join(' ') : '';
      // JSON, because captured text may be made to steer a terminal.
      console.log(JSON.stringify([record.type, what, process_?.exe, file1?.path, container?.name]));
    },
  });
  const { events, records } = await driver.run();
  console.error(
    `${events} events, ${Object.values(records).reduce((sum, count) => sum + count, 0n)} records`,
  );
} catch (error) {
  if (!(error instanceof SysFlowError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
}
