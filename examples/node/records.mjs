// Prints the files that were written, record by record. Usage: node records.mjs CAPTURE
import { openCapture } from 'sfkit';

const paths = new Map();
for await (const record of openCapture(process.argv[2], { fileReadMode: 'all' })) {
  if (record.type === 'File') paths.set(record.oid, record.path);
  if (record.type === 'FileFlow' && record.numWSendBytes > 0n) {
    console.log(JSON.stringify([paths.get(record.fileOID), String(record.numWSendBytes)]));
  }
}
