// Sums up in Arrow columns who sent how much. Usage: node batches.mjs CAPTURE
import { openCapture } from 'sfkit';

const capture = openCapture(process.argv[2]);
const sent = new Map();
for await (const batch of capture.batches({ table: 'network_flow' })) {
  const exe = batch.getChild('proc_exe');
  const bytes = batch.getChild('flow_wbytes');
  for (let row = 0; row < batch.numRows; row++) {
    sent.set(exe.get(row), (sent.get(exe.get(row)) ?? 0n) + bytes.get(row));
  }
}
for (const [name, bytes] of sent) console.log(JSON.stringify([name, String(bytes)]));
