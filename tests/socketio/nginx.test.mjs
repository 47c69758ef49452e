// The real client through nginx, set up as its documentation says.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startNginx } from "./proxies.mjs";
import { connect, next, startServer } from "./server.mjs";

const kArgs = ["--ping-interval", "1000", "--ping-timeout", "2000"];
let server;
let nginx;
before(async () => {
  server = await startServer({ args: kArgs });
  nginx = await startNginx(server.port);
});
after(async () => {
  await nginx?.stop();
  assert.equal(await server.stop(), 0);
});

const transports = {
  "default (polling, then upgrade)": undefined,
  "websocket only": ["websocket"],
  "polling only": ["polling"],
};
for (const [name, list] of Object.entries(transports)) {
  test(`${name}: messages, binary, big ones, many, and heartbeats`, async (t) => {
    const socket = connect(t, nginx.url, list ? { transports: list } : {});
    await next(socket, "connect");
    const ask = (...args) => socket.timeout(10_000).emitWithAck("message-with-ack", ...args);
    assert.deepEqual(await ask("zwei ☃ 🎬"), "zwei ☃ 🎬");
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i & 255));
    assert.deepEqual(Buffer.from(await ask(bytes)), bytes);
    const big = "ü".repeat(300_000);
    assert.equal(await ask(big), big);

    let expected = 0;
    const all = new Promise((resolve, reject) => {
      socket.on("drop", (index) => {
        if (index !== expected++) reject(new Error(`${index} instead of ${expected - 1}`));
        if (expected === 5000) resolve();
      });
    });
    socket.emit("flood-me", 5000);
    await all;

    const { engine } = socket.io;
    for (let i = 0; i < 2; ++i) await next(engine, "heartbeat");
    assert.equal(engine.transport.name, list ? list[0] : "websocket");
    assert.equal(socket.connected, true);
  });
}

test("thirty clients at once, each upgraded, whichever shard and connection nginx picks", async (t) => {
  await Promise.all(
    Array.from({ length: 30 }, async (_, i) => {
      const socket = connect(t, nginx.url);
      await next(socket, "connect");
      if (socket.io.engine.transport.name !== "websocket") await next(socket.io.engine, "upgrade");
      assert.equal(await socket.timeout(5000).emitWithAck("message-with-ack", i), i);
    }),
  );
});

test("the server goes and comes back: nginx answers 502 meanwhile, and clients return by themselves", async (t) => {
  const other = await startServer({ args: kArgs });
  const proxy = await startNginx(other.port);
  t.after(() => proxy.stop());
  const sockets = [undefined, ["websocket"], ["polling"]].map((list) =>
    connect(t, proxy.url, {
      ...(list ? { transports: list } : {}),
      reconnection: true,
      reconnectionDelay: 50,
      reconnectionDelayMax: 100,
    }),
  );
  // A client whose WebSocket ends between its probe and its upgrade waits for its ping's timeout, so the server goes
  // only after the upgrade.
  await Promise.all([...sockets.map((socket) => next(socket, "connect")), next(sockets[0].io.engine, "upgrade")]);
  const gone = Promise.all(sockets.map((socket) => next(socket, "disconnect")));
  assert.equal(await other.stop(), 0);
  for (const [reason] of await gone) assert.match(reason, /^transport (close|error)$/);
  assert.equal((await fetch(`${proxy.url}/socket.io/?EIO=4&transport=polling`)).status, 502);
  // The default client may be caught in a first attempt that is refused; it tries on.
  const again = sockets.map((socket) => next(socket, "connect", 10_000));
  const second = await startServer({ port: other.port, args: kArgs });
  t.after(() => second.stop());
  await Promise.all(again);
  for (const socket of sockets) {
    assert.equal(await socket.timeout(5000).emitWithAck("message-with-ack", "back"), "back");
  }
});
