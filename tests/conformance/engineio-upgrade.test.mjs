// Engine.IO v4: the move from long-polling to a WebSocket, and everything that can go wrong on the way.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Polling, Socket, kCalm, startServer, within } from "./harness.mjs";

let server;
before(async () => {
  server = await startServer({ args: [...kCalm.args, "--upgrade-timeout", "1500"] });
});
after(async () => assert.equal(await server.stop(), 0));

async function probe(t, session, url = session.upgradeUrl) {
  const socket = new Socket(t, url);
  await within(socket.opened, "the WebSocket's handshake");
  socket.send("2probe");
  assert.equal(await socket.take("the answer to the probe"), "3probe");
  return socket;
}

async function upgraded(t) {
  const session = await Polling.open(server);
  const socket = await probe(t, session);
  socket.send("5");
  return { session, socket };
}

test("probe, `5`, and an echo over the WebSocket", async (t) => {
  const { socket } = await upgraded(t);
  socket.send("4hello", Buffer.from([1, 2]));
  assert.equal(await socket.take(), "4hello");
  assert.deepEqual(await socket.take(), Buffer.from([1, 2]));
});

test("the poll that waits is let go with `6`", async (t) => {
  const session = await Polling.open(server);
  const poll = session.poll();
  const socket = await probe(t, session);
  assert.deepEqual((await poll).body, "6");
  // A further poll before the `5` does not wait either.
  assert.deepEqual((await session.poll()).body, "6");
  socket.send("5", "4x");
  assert.equal(await socket.take(), "4x");
});

test("all of it in one go: probe, `5` and messages", async (t) => {
  const session = await Polling.open(server);
  const socket = new Socket(t, session.upgradeUrl);
  await within(socket.opened, "the WebSocket's handshake");
  socket.send("2probe", "5", "4a", "4b");
  assert.equal(await socket.take(), "3probe");
  assert.equal(await socket.take(), "4a");
  assert.equal(await socket.take(), "4b");
});

test("polling works on between probe and `5`, and nothing is lost or comes twice", async (t) => {
  const session = await Polling.open(server);
  const socket = await probe(t, session);
  assert.equal((await session.post("4during\x1ebAQI=")).body, "ok");
  socket.send("5", "4after");
  assert.equal(await socket.take(), "4during");
  assert.deepEqual(await socket.take(), Buffer.from([1, 2]));
  assert.equal(await socket.take(), "4after");
  assert.equal(socket.inbox.size, 0);
});

test("requests with its id are refused afterwards, and do not hurt it", async (t) => {
  const { session, socket } = await upgraded(t);
  socket.send("4first");
  await socket.take();
  assert.equal((await session.poll()).status, 400);
  assert.equal((await session.post("4never")).status, 400);
  assert.equal((await session.post("1")).status, 400);
  socket.send("4hello");
  assert.equal(await socket.take(), "4hello");
});

test("a second WebSocket with its id is closed, and does not hurt it", async (t) => {
  const { session, socket } = await upgraded(t);
  socket.send("4first");
  await socket.take();
  const second = new Socket(t, session.upgradeUrl);
  await second.end("the end of the second WebSocket");
  socket.send("4hello");
  assert.equal(await socket.take(), "4hello");
});

test("a second probe while one is on its way is closed; the first goes through", async (t) => {
  const session = await Polling.open(server);
  const first = await probe(t, session);
  const second = new Socket(t, session.upgradeUrl);
  await second.end("the end of the second WebSocket");
  first.send("5", "4hello");
  assert.equal(await first.take(), "4hello");
});

test("an upgrade with the id of a session that began on a WebSocket is closed", async (t) => {
  const socket = await Socket.open(t, server);
  const second = new Socket(
    t,
    `${server.url.replace("http", "ws")}/engine.io/?EIO=4&transport=websocket&sid=${socket.handshake.sid}`,
  );
  await second.end("the end of the second WebSocket");
  socket.send("4hello");
  assert.equal(await socket.take(), "4hello");
});

for (const version of ["EIO=3", "EIO=5", "EIO=", "x=4"]) {
  test(`an upgrade with ${version} is refused with 400, and the session lives`, async (t) => {
    const session = await Polling.open(server);
    const socket = new Socket(t, session.upgradeUrl.replace("EIO=4", version));
    await assert.rejects(within(socket.opened, "the refusal"), (error) => error.status === 400);
    await session.post("4hello");
    assert.equal((await session.poll()).body, "4hello");
  });
}

for (const [what, messages] of Object.entries({
  "another message than the probe": ["4hello"],
  "a `5` without a probe": ["5"],
  "another word in the probe": ["2other"],
  "a binary message": [Buffer.from("2probe")],
  "a second probe": ["2probe", "2probe"],
  "a message before the `5`": ["2probe", "4hello"],
  "nothing that is a packet": ["abc"],
})) {
  test(`a probe that sends ${what} is closed; the session goes on by polling`, async (t) => {
    const session = await Polling.open(server);
    const socket = new Socket(t, session.upgradeUrl);
    await within(socket.opened, "the WebSocket's handshake");
    socket.send(...messages);
    await socket.end();
    assert.equal((await session.post("4hello")).body, "ok");
    assert.deepEqual((await session.take(1)).filter((packet) => packet !== "6"), ["4hello"]);
  });
}

test("a probe that says nothing is closed at its deadline; the session goes on by polling", async (t) => {
  const session = await Polling.open(server);
  const poll = session.poll();
  const socket = new Socket(t, session.upgradeUrl);
  await socket.end("the end of the silent probe");
  await session.post("4hello");
  assert.equal((await poll).body, "4hello");
});

test("a probed WebSocket that never says `5` is closed at its deadline; polls wait again, and another may try", async (t) => {
  const session = await Polling.open(server);
  const socket = await probe(t, session);
  await socket.end("the end of the undecided probe");
  const poll = session.poll();
  await session.post("4hello");
  assert.equal((await poll).body, "4hello");
  const another = await probe(t, session);
  another.send("5", "4a");
  assert.equal(await another.take(), "4a");
});

test("a probe that breaks off leaves the session on polling", async (t) => {
  const session = await Polling.open(server);
  const socket = await probe(t, session);
  socket.raw.terminate();
  // Polls come back with `6` until the server has noticed; then they wait again.
  let poll;
  do poll = session.poll();
  while (await Promise.race([poll, sleep(50)]));
  await session.post("4hello");
  assert.equal((await poll).body, "4hello");
});

test("a session that its client ends while a WebSocket probes takes the WebSocket along", async (t) => {
  const session = await Polling.open(server);
  const socket = await probe(t, session);
  assert.equal((await session.post("1")).body, "ok");
  await socket.end();
  assert.equal((await session.poll()).body, "6");
  assert.equal((await session.poll()).status, 400);
});

test("a hundred upgrades at once, on all shards, each with messages on the way", async (t) => {
  await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const session = await Polling.open(server);
      await session.post(`4early ${i}`);
      const socket = await probe(t, session);
      socket.send("5", `4late ${i}`);
      assert.equal(await socket.take(), `4early ${i}`);
      assert.equal(await socket.take(), `4late ${i}`);
    }),
  );
});
