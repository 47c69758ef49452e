// What happens to connections over time: heartbeats, servers that stop, clients that fall silent or misbehave.
import assert from "node:assert/strict";
import { createConnection } from "node:net";
import { test } from "node:test";
import { WebSocket } from "ws";
import { connect, next, startServer } from "./server.mjs";

async function serverFor(t, options) {
  const server = await startServer(options);
  t.after(() => server.stop());
  return server;
}

async function raw(t, server, path) {
  const socket = new WebSocket(server.url.replace("http", "ws") + path);
  t.after(() => socket.terminate());
  socket.on("error", () => {});
  const messages = [];
  socket.on("message", (data) => messages.push(data.toString()));
  const closed = new Promise((resolve) => socket.once("close", (code) => resolve(code)));
  await next(socket, "open");
  return { socket, messages, closed };
}

test("a client stays over many heartbeats", async (t) => {
  const server = await serverFor(t);
  for (const transports of [["websocket"], ["polling"]]) {
    const socket = connect(t, server.url, { transports });
    await next(socket, "connect");
    let gone = false;
    socket.on("disconnect", () => (gone = true));
    for (let i = 0; i < 4; ++i) await next(socket.io.engine, "heartbeat");
    assert.equal(gone, false);
    socket.disconnect();
  }
});

test("a client that answers no ping is closed, and others learn why", async (t) => {
  const server = await serverFor(t);
  const watcher = connect(t, server.url);
  await next(watcher, "connect");
  const departed = next(watcher, "departed");
  const { socket, closed } = await raw(t, server, "/socket.io/?EIO=4&transport=websocket");
  await next(socket, "message");
  socket.send("40/watched,");
  await closed;
  assert.equal((await departed)[1], "ping timeout");
});

test("a client that joins no namespace is closed", async (t) => {
  const server = await serverFor(t, { args: ["--ping-interval", "20000"] });
  const { messages, closed } = await raw(t, server, "/socket.io/?EIO=4&transport=websocket");
  await closed;
  assert.match(messages[0], /^0\{/);
});

test("when the server stops, clients are told, and come back to the next one by themselves", async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const sockets = [["websocket"], ["polling"]].map((transports) =>
    connect(t, server.url, { transports, reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 100 }),
  );
  await Promise.all(sockets.map((socket) => next(socket, "connect")));
  const reasons = Promise.all(sockets.map((socket) => next(socket, "disconnect")));
  assert.equal(await server.stop(), 0);
  for (const [reason] of await reasons) assert.match(reason, /^transport (close|error)$/);
  const again = sockets.map((socket) => next(socket, "connect", 10_000));
  const second = await startServer({ port: server.port });
  t.after(() => second.stop());
  await Promise.all(again);
});

test("a killed server: clients notice and reconnect", async (t) => {
  const server = await startServer();
  const socket = connect(t, server.url, { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 100 });
  await next(socket, "connect");
  const gone = next(socket, "disconnect");
  server.kill("SIGKILL");
  await server.stop();
  await gone;
  const again = next(socket, "connect", 10_000);
  const second = await startServer({ port: server.port });
  t.after(() => second.stop());
  await again;
});

test("a poll that its client gives up ends the session, and holds nothing back when the server stops", async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const opened = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`);
  const { sid } = JSON.parse((await opened.text()).slice(1));
  const path = `${server.url}/socket.io/?EIO=4&transport=polling&sid=${sid}`;
  const abort = new AbortController();
  const poll = fetch(path, { signal: abort.signal });
  await new Promise((resolve) => setTimeout(resolve, 50));
  abort.abort();
  await assert.rejects(poll);
  let status = 200;
  while (status === 200) status = (await fetch(path)).status;
  assert.equal(status, 400);
  assert.equal(await server.stop(), 0);
});

test("the address in use is an error that names it", async (t) => {
  const server = await serverFor(t);
  await assert.rejects(startServer({ port: server.port }), /ended with 1/);
});

const hostile = {
  "an unknown packet type": "4abc",
  "an event that is no array": "42{}",
  "an event without a name": "42[]",
  "an event whose name is a number": "42[1]",
  "a reserved event": '42["connect"]',
  "a bad acknowledgement id": '42abc["message"]',
  "an acknowledgement without an id": "43[]",
  "no attachments in a binary event": '450-["message"]',
  "eleven attachments": '4511-["message"]',
  "a placeholder out of bounds": '451-["message",{"_placeholder":true,"num":1}]',
  "a placeholder that is no number": '451-["message",{"_placeholder":true,"num":"splice"}]',
  "an attachment that nothing refers to": '451-["message"]',
  "JSON that is nested too deep": `42["message",${"[".repeat(500)}${"]".repeat(500)}]`,
  "an event for a namespace that was not joined": '42/custom,["message"]',
  "a ping": "2",
  "no packet at all": "x",
};
for (const [what, packet] of Object.entries(hostile)) {
  test(`closed: ${what}`, async (t) => {
    const server = await serverFor(t, { args: ["--ping-interval", "20000"] });
    const { socket, messages, closed } = await raw(t, server, "/socket.io/?EIO=4&transport=websocket");
    while (messages.length < 1) await next(socket, "message");
    socket.send("40");
    while (messages.length < 3) await next(socket, "message");
    socket.send(packet);
    await closed;
  });
}

test("closed: an attachment that nothing announced, and a text where one is due", async (t) => {
  const server = await serverFor(t, { args: ["--ping-interval", "20000"] });
  for (const packets of [[Buffer.from([1])], ['451-["message",{"_placeholder":true,"num":0}]', '42["message"]']]) {
    const { socket, messages, closed } = await raw(t, server, "/socket.io/?EIO=4&transport=websocket");
    socket.send("40");
    while (messages.length < 3) await next(socket, "message");
    for (const packet of packets) socket.send(packet);
    await closed;
  }
});

test("a message over the limit closes with 1009, a POST over it is answered with 413", async (t) => {
  const server = await serverFor(t, { args: ["--ping-interval", "20000"] });
  const { socket, closed } = await raw(t, server, "/socket.io/?EIO=4&transport=websocket");
  socket.send("4" + "x".repeat(1_000_000));
  assert.equal(await closed, 1009);

  const opened = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`);
  const { sid } = JSON.parse((await opened.text()).slice(1));
  const post = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, {
    method: "POST",
    body: "4" + "x".repeat(1_000_000),
  });
  assert.equal(post.status, 413);
});

test("a client that reads nothing is cut, and the others do not notice", async (t) => {
  const server = await serverFor(t, { args: ["--ping-interval", "20000"] });
  const watcher = connect(t, server.url);
  await next(watcher, "connect");
  const departed = next(watcher, "departed", 60_000);
  const slow = createConnection(server.port, "127.0.0.1");
  t.after(() => slow.destroy());
  slow.on("error", () => {});
  slow.pause();
  slow.write(
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  const frame = (text) => {
    const payload = Buffer.from(text);
    const head = payload.length < 126 ? [0x81, 0x80 | payload.length] : [0x81, 0xfe, payload.length >> 8, payload.length & 255];
    return Buffer.concat([Buffer.from(head), Buffer.alloc(4), payload]);
  };
  slow.write(frame("40/watched,"));
  slow.write(frame("40"));
  slow.write(frame('42["flood-me",2000000]'));
  assert.equal((await departed)[1], "transport error");
  assert.equal(await watcher.timeout(5000).emitWithAck("message-with-ack", "fine"), "fine");
});

test("refused requests say why, with CORS fields", async (t) => {
  const server = await serverFor(t);
  const origin = "https://elsewhere.example";
  const cases = [
    ["transport=polling", 400, { code: 5, message: "Unsupported protocol version" }],
    ["EIO=4&transport=carrier-pigeon", 400, { code: 0, message: "Transport unknown" }],
    ["EIO=4&transport=polling&sid=unknown", 400, { code: 1, message: "Session ID unknown" }],
    ["EIO=4&transport=websocket", 400, { code: 3, message: "Bad request" }],
  ];
  for (const path of ["/socket.io/", "/socket.io"]) {
    for (const [query, status, body] of cases) {
      const answer = await fetch(`${server.url}${path}?${query}`, { headers: { origin } });
      assert.equal(answer.status, status);
      assert.deepEqual(await answer.json(), body);
      assert.equal(answer.headers.get("access-control-allow-origin"), "*");
    }
  }
  const post = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, { method: "POST" });
  assert.deepEqual(await post.json(), { code: 2, message: "Bad handshake method" });
});
