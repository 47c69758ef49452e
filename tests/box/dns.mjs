// The lab's name server: names that lead in and out of the operator's network, or change their mind.
import dgram from 'node:dgram';
import net from 'node:net';
import { publicAddress } from './namespaces.mjs';

const fixed = {
  'internal.test': ['127.0.0.1'],
  'meta.test': ['169.254.169.254'],
  'lan.test': ['10.0.0.5'],
  'zero.test': ['0.0.0.0'],
  'six.test': ['::1', 'fd00::5'],
  'mapped.test': ['::ffff:127.0.0.1'],
  'nat64.test': ['64:ff9b::7f00:1'],
  'multi.test': [publicAddress, '127.0.0.1'],
};
// Every other name in these is the attacker's, or a site of the public web.
const outside = /^([a-z0-9-]+\.)*(evil|cdn|bank)\.test$/;

/**
 * `after-N.WORD.rebind.test` is public for its first N answers and 127.0.0.1 afterwards; `flip.WORD.rebind.test` takes turns.
 */
function rebinding(name, asked) {
  const first = name.match(/^after-(\d+)\./);
  const isPublic = first ? asked < Number(first[1]) : asked % 2 === 0;
  return [isPublic ? publicAddress : '127.0.0.1'];
}

const typeA = 1;
const typeAaaa = 28;

function readQuestion(message) {
  const labels = [];
  let at = 12;
  while (message[at] !== 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + message[at]));
    at += 1 + message[at];
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

function addressBytes(address) {
  if (net.isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const dotted = address.match(/^(.*:)(\d+\.\d+\.\d+\.\d+)$/);
  if (dotted) return Buffer.concat([addressBytes(`${dotted[1]}0:0`).subarray(0, 12), addressBytes(dotted[2])]);
  const [head, tail = ''] = address.split('::');
  const words = (text) => (text === '' ? [] : text.split(':').map((word) => parseInt(word, 16)));
  const all = [...words(head), ...Array(8 - words(head).length - words(tail).length).fill(0), ...words(tail)];
  const bytes = Buffer.alloc(16);
  all.forEach((word, i) => bytes.writeUInt16BE(word, 2 * i));
  return bytes;
}

/** Answers on 127.0.0.1:53 until `close()`. */
export async function startDns() {
  const asked = new Map();
  const addressesOf = (name, type) => {
    if (!name.endsWith('.rebind.test')) return fixed[name] ?? (outside.test(name) ? [publicAddress] : null);
    if (type !== typeA) return [];
    asked.set(name, (asked.get(name) ?? -1) + 1);
    return rebinding(name, asked.get(name));
  };
  const socket = dgram.createSocket('udp4');
  socket.on('message', (message, sender) => {
    const { name, type, end } = readQuestion(message);
    const found = addressesOf(name, type);
    const answers = (found ?? []).filter((one) => (net.isIPv6(one) ? typeAaaa : typeA) === type).map(addressBytes);
    const head = Buffer.alloc(12);
    message.copy(head, 0, 0, 2);
    head.writeUInt16BE(found ? 0x8580 : 0x8583, 2); // an authoritative answer, or NXDOMAIN
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(answers.length, 6);
    const records = answers.map((bytes) => {
      const record = Buffer.alloc(12); // a pointer to the question's name, type, class IN, TTL 0, length
      record.writeUInt16BE(0xc00c, 0);
      record.writeUInt16BE(type, 2);
      record.writeUInt16BE(1, 4);
      record.writeUInt16BE(bytes.length, 10);
      return Buffer.concat([record, bytes]);
    });
    socket.send(Buffer.concat([head, message.subarray(12, end), ...records]), sender.port, sender.address);
  });
  await new Promise((resolve, reject) => socket.once('error', reject).bind(53, '127.0.0.1', resolve));
  return { close: () => socket.close() };
}
