// A WebSocket peer that may say anything: bytes out, frames in.
import { createConnection } from "node:net";
import { Inbox, within } from "./harness.mjs";

export const kText = 0x1;
export const kBinary = 0x2;
export const kContinuation = 0x0;
export const kClose = 0x8;
export const kPing = 0x9;
export const kPong = 0xa;

const kMask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** A client's frame. `lengthBytes` (0, 2 or 8) forces a form of the length, `declared` a false one. */
export function frame(
  opcode,
  payload = "",
  { fin = true, reserved = 0, masked = true, lengthBytes, declared, mask = kMask } = {},
) {
  const bytes = Buffer.from(payload);
  const length = BigInt(declared ?? bytes.length);
  const form = lengthBytes ?? (length < 126n ? 0 : length <= 0xffffn ? 2 : 8);
  const head = Buffer.alloc(2 + form);
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | (form === 0 ? Number(length) : form === 2 ? 126 : 127);
  if (form === 2) head.writeUInt16BE(Number(length), 2);
  if (form === 8) head.writeBigUInt64BE(length, 2);
  if (!masked) return Buffer.concat([head, bytes]);
  const hidden = Buffer.from(bytes);
  for (let i = 0; i < hidden.length; ++i) hidden[i] ^= mask[i & 3];
  return Buffer.concat([head, mask, hidden]);
}

export const text = (payload, options) => frame(kText, payload, options);
export const binary = (payload, options) => frame(kBinary, payload, options);
export const more = (payload, options) => frame(kContinuation, payload, options);
export const ping = (payload, options) => frame(kPing, payload, options);
export const pong = (payload, options) => frame(kPong, payload, options);
export function close(code, reason = "") {
  if (code === undefined) return frame(kClose);
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(code);
  return frame(kClose, Buffer.concat([bytes, Buffer.from(reason)]));
}

/** Takes whole frames off `bytes`; returns the rest. Throws where a server's frame is not as it must be. */
function takeFrames(bytes, take) {
  while (bytes.length >= 2) {
    let length = bytes[1] & 0x7f;
    let head = 2;
    if (length === 126) {
      if (bytes.length < 4) break;
      length = bytes.readUInt16BE(2);
      head = 4;
      if (length < 126) throw new Error("the server's length is not minimal");
    } else if (length === 127) {
      if (bytes.length < 10) break;
      length = Number(bytes.readBigUInt64BE(2));
      head = 10;
      if (length < 65536) throw new Error("the server's length is not minimal");
    }
    if ((bytes[1] & 0x80) !== 0) throw new Error("the server masks");
    if ((bytes[0] & 0x70) !== 0) throw new Error("the server uses reserved bits");
    if (bytes.length < head + length) break;
    const payload = bytes.subarray(head, head + length);
    take({ fin: (bytes[0] & 0x80) !== 0, opcode: bytes[0] & 0x0f, payload: Buffer.from(payload) });
    bytes = bytes.subarray(head + length);
  }
  return bytes;
}

/** A connected WebSocket of bytes. `take()` gives the next frame, `ended` comes once the server ends the connection. */
export class RawPeer {
  constructor(test, port) {
    this.inbox = new Inbox();
    this.tcp = createConnection(port, "127.0.0.1");
    this.tcp.setNoDelay(true);
    test.after(() => this.tcp.destroy());
    this.reset = false;
    this.tcp.on("error", (error) => (this.reset ||= error.code === "ECONNRESET"));
    this.ended = new Promise((resolve) => {
      this.tcp.once("end", resolve);
      this.tcp.once("close", resolve);
    });
  }

  static async open(test, server, { path = "/engine.io/?EIO=4&transport=websocket", behind = "" } = {}) {
    const peer = new RawPeer(test, server.port);
    let bytes = Buffer.alloc(0);
    let broken = false;
    const answered = new Promise((resolve) => {
      peer.tcp.on("data", (piece) => {
        if (broken) return;
        bytes = Buffer.concat([bytes, piece]);
        if (peer.head === undefined) {
          const end = bytes.indexOf("\r\n\r\n");
          if (end < 0) return;
          peer.head = bytes.subarray(0, end).toString();
          bytes = bytes.subarray(end + 4);
          resolve();
        }
        try {
          bytes = takeFrames(bytes, (got) => peer.inbox.put(got));
        } catch (error) {
          broken = true;
          peer.inbox.put({ error });
        }
      });
    });
    peer.send(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      behind,
    );
    await within(answered, "the answer to the handshake");
    peer.openPacket = await peer.take();
    return peer;
  }

  /** All of it in one write. */
  send(...pieces) {
    this.tcp.write(Buffer.concat(pieces.map((piece) => Buffer.from(piece))));
  }

  /** Each byte in a write, and mostly in a packet, of its own. */
  async sendSlowly(...pieces) {
    for (const byte of Buffer.concat(pieces)) {
      this.tcp.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async take(what = "a frame") {
    const got = await this.inbox.take(what);
    if (got.error) throw got.error;
    return got;
  }

  /** The code of the close frame that must come next; 1005 for one without. */
  async takeClose() {
    const got = await this.take("a close frame");
    if (got.opcode !== kClose) throw new Error(`opcode ${got.opcode} instead of a close frame: ${got.payload}`);
    return got.payload.length >= 2 ? got.payload.readUInt16BE(0) : 1005;
  }
}
