// permessage-deflate, which a server must be told to agree on, with the real client and with a raw one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRequire } from "node:module";
import { deflateRawSync, constants } from "node:zlib";
import { connect, next, startServer } from "./server.mjs";

const require = createRequire(import.meta.url);
const { WebSocket } = createRequire(require.resolve("engine.io-client"))("ws");

const long = { text: "frame by frame, ".repeat(500) };

async function serve(t, ...args) {
  const server = await startServer({ args });
  t.after(() => server.stop());
  return server;
}

/** The raw socket below a connected client, and the bytes that it has read so far. */
const wire = (socket) => socket.io.engine.transport.ws;

test("the client and the server agree on compression, both ways, for what is long", async (t) => {
  const server = await serve(t, "--deflate", "1");
  const socket = connect(t, server.url, { transports: ["websocket"] });
  await next(socket, "connect");
  assert.equal(wire(socket).extensions, "permessage-deflate");
  const before = wire(socket)._socket.bytesRead;
  socket.emit("message", long, "short");
  const [back, short] = await next(socket, "message-back");
  assert.deepEqual(back, long);
  assert.equal(short, "short");
  const read = wire(socket)._socket.bytesRead - before;
  assert.ok(read < 1000, `${read} bytes came for ${long.text.length}`);
  const bytes = Buffer.alloc(5000, 7);
  assert.deepEqual(await socket.timeout(2000).emitWithAck("message-with-ack", bytes, "é"), bytes);
});

test("one compressed message serves a room of compressing and plain clients", async (t) => {
  const server = await serve(t, "--deflate", "1");
  const compressing = connect(t, server.url, { transports: ["websocket"] });
  const plain = connect(t, server.url, { transports: ["websocket"], perMessageDeflate: false });
  const polling = connect(t, server.url, { transports: ["polling"] });
  const all = [compressing, plain, polling];
  await Promise.all(all.map((socket) => next(socket, "connect")));
  await Promise.all(all.map((socket) => socket.timeout(2000).emitWithAck("join", "room")));
  assert.equal(wire(plain).extensions, "");
  const heard = all.map((socket) => next(socket, "said"));
  compressing.emit("say", "room", long.text);
  for (const one of heard) assert.deepEqual(await one, [long.text]);
});

test("it is off where the server was not told to", async (t) => {
  const server = await serve(t);
  const socket = connect(t, server.url, { transports: ["websocket"] });
  await next(socket, "connect");
  assert.equal(wire(socket).extensions, "");
});

test("it survives the upgrade from polling", async (t) => {
  const server = await serve(t, "--deflate", "1");
  const socket = connect(t, server.url);
  await Promise.all([next(socket, "connect"), next(socket.io.engine, "upgrade")]);
  assert.equal(wire(socket).extensions, "permessage-deflate");
  socket.emit("message", long);
  assert.deepEqual(await next(socket, "message-back"), [long]);
});

test("a message that inflates to more than a message may have ends with 1009", async (t) => {
  // Making the bomb takes longer than the short heartbeats allow.
  const server = await serve(t, "--deflate", "1", "--ping-interval", "20000");
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/engine.io/?EIO=4&transport=websocket`, {
    perMessageDeflate: true,
  });
  t.after(() => socket.terminate());
  await next(socket, "message");
  const plain = Buffer.alloc(20_000_000, "4");
  const bomb = deflateRawSync(plain, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
  assert.ok(bomb.length < 30_000, `the bomb has ${bomb.length} bytes`);
  const closed = next(socket, "close");
  const head = Buffer.from([0xc1, 0xfe, bomb.length >> 8, bomb.length & 0xff, 0, 0, 0, 0]);
  socket._socket.write(Buffer.concat([head, bomb]));
  const [code] = await closed;
  assert.equal(code, 1009);
});
