// Sends the records of a capture to a unix socket of kind SOCK_SEQPACKET, as plain Avro, one a message.
// Usage: node socket.mjs CAPTURE SOCKET
import { SysFlowDriver } from 'sfkit';

const [scapInputPath, socketPath] = process.argv.slice(2);
const driver = new SysFlowDriver({ scapInputPath, socketPath, enableStats: true });
driver.on('statistics', ({ reason, records }) => console.error(`${reason}: ${records} records`));
const { socket } = await driver.run();
console.log(JSON.stringify(socket));
