// The unmodified socket.io-client against the server, over each of its transports.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connect, next, startServer } from "./server.mjs";

let server;
before(async () => {
  server = await startServer({ args: ["--ping-interval", "2000", "--ping-timeout", "2000"] });
});
after(async () => assert.equal(await server.stop(), 0));

const transports = {
  "default (polling, then upgrade)": {},
  "websocket only": { transports: ["websocket"] },
  "polling only": { transports: ["polling"] },
};

for (const [name, options] of Object.entries(transports)) {
  test(`${name}: connects, is told its auth, echoes`, async (t) => {
    const socket = connect(t, server.url, { ...options, auth: { token: "abc", nested: { a: [1, null] } } });
    const [auth] = await next(socket, "auth");
    assert.deepEqual(auth, { token: "abc", nested: { a: [1, null] } });
    assert.equal(socket.connected, true);
    assert.match(socket.id, /^[\w-]{20}$/);

    socket.emit("message", 1, "zwei ☃ 🎬", { drei: [true, null, 1.5] });
    assert.deepEqual(await next(socket, "message-back"), [1, "zwei ☃ 🎬", { drei: [true, null, 1.5] }]);
  });

  test(`${name}: acknowledgements both ways`, async (t) => {
    const socket = connect(t, server.url, options);
    await next(socket, "connect");
    assert.deepEqual(await socket.timeout(5000).emitWithAck("message-with-ack", "only"), "only");

    socket.on("question", (word, answer) => answer(`because ${word}`));
    const [outcome, answers] = await new Promise((resolve) => {
      socket.emit("ask-me", 2000, (...args) => resolve(args));
    });
    assert.equal(outcome, "answered");
    assert.deepEqual(answers, ["because why"]);

    socket.off("question");
    const failed = await new Promise((resolve) => socket.emit("ask-me", 50, (...args) => resolve(args)));
    assert.deepEqual(failed, ["failed", "TIMED_OUT"]);
  });

  test(`${name}: binary in arguments and acknowledgements`, async (t) => {
    const socket = connect(t, server.url, options);
    await next(socket, "connect");
    const bytes = Buffer.from([0, 1, 2, 253, 254, 255]);
    socket.emit("message", { picture: bytes, name: "p" }, bytes.subarray(0, 1));
    const [first, second] = await next(socket, "message-back");
    assert.deepEqual(Buffer.from(first.picture), bytes);
    assert.equal(first.name, "p");
    assert.deepEqual(Buffer.from(second), bytes.subarray(0, 1));
    const acked = await socket.timeout(5000).emitWithAck("message-with-ack", bytes);
    assert.deepEqual(Buffer.from(acked), bytes);
  });

  test(`${name}: big payloads, in order with small ones`, async (t) => {
    const socket = connect(t, server.url, options);
    await next(socket, "connect");
    const big = "ü".repeat(300_000);
    const seen = [];
    const all = new Promise((resolve) => {
      socket.on("message-back", (index, text) => {
        seen.push(index);
        if (index % 2 === 0) assert.equal(text, big);
        if (seen.length === 10) resolve();
      });
    });
    for (let i = 0; i < 10; ++i) socket.emit("message", i, i % 2 === 0 ? big : "small");
    await all;
    assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test(`${name}: 5,000 emits of one handler arrive in order`, async (t) => {
    const socket = connect(t, server.url, options);
    await next(socket, "connect");
    let expected = 0;
    const all = new Promise((resolve, reject) => {
      socket.on("drop", (index) => {
        if (index !== expected++) reject(new Error(`${index} instead of ${expected - 1}`));
        if (expected === 5000) resolve();
      });
    });
    socket.emit("flood-me", 5000);
    await all;
  });

  test(`${name}: disconnects by either side with the reasons that users know`, async (t) => {
    const watcher = connect(t, server.url);
    await next(watcher, "connect");

    const leaves = connect(t, `${server.url}/watched`, options);
    await next(leaves, "connect");
    let departed = next(watcher, "departed");
    const id = leaves.id;
    leaves.disconnect();
    assert.deepEqual(await departed, [id, "client namespace disconnect"]);

    const kicked = connect(t, `${server.url}/watched`, options);
    await next(kicked, "connect");
    departed = next(watcher, "departed");
    kicked.emit("kick-me", false);
    assert.equal((await next(kicked, "disconnect"))[0], "io server disconnect");
    assert.equal((await departed)[1], "server namespace disconnect");

    const thrown = connect(t, `${server.url}/watched`, options);
    await next(thrown, "connect");
    thrown.emit("kick-me", true);
    assert.equal((await next(thrown, "disconnect"))[0], "io server disconnect");

    const lost = connect(t, `${server.url}/watched`, options);
    await next(lost, "connect");
    if (options.transports === undefined) await upgraded(lost);
    departed = next(watcher, "departed");
    lost.io.engine.close();
    assert.match((await departed)[1], /^transport (close|error)$/);
  });
}

async function upgraded(socket) {
  const { engine } = socket.io;
  if (engine.transport.name !== "websocket") await next(engine, "upgrade");
}

test("the default client ends up on a WebSocket, and nothing is lost while it moves", async (t) => {
  const socket = connect(t, server.url);
  const seen = [];
  socket.on("message-back", (index) => seen.push(index));
  let sent = 0;
  const pump = setInterval(() => socket.emit("message", sent++), 1);
  await next(socket, "connect");
  await upgraded(socket);
  await new Promise((resolve) => setTimeout(resolve, 50));
  clearInterval(pump);
  while (seen.length < sent) await next(socket, "message-back");
  assert.equal(socket.io.engine.transport.name, "websocket");
  assert.deepEqual(seen, Array.from({ length: sent }, (_, i) => i));
});

test("twenty clients move to a WebSocket at once, whichever shard they landed on", async (t) => {
  const sockets = Array.from({ length: 20 }, () => connect(t, server.url));
  await Promise.all(
    sockets.map(async (socket, i) => {
      await next(socket, "connect");
      await upgraded(socket);
      assert.equal(await socket.timeout(5000).emitWithAck("message-with-ack", i), i);
    }),
  );
});

test("rooms: those inside hear it, those outside do not, the speaker can be left out", async (t) => {
  const [alice, bob, carol] = Array.from({ length: 3 }, () => connect(t, server.url));
  await Promise.all([alice, bob, carol].map((socket) => next(socket, "connect")));
  const heard = { alice: [], bob: [], carol: [] };
  alice.on("said", (text) => heard.alice.push(text));
  bob.on("said", (text) => heard.bob.push(text));
  carol.on("said", (text) => heard.carol.push(text));
  const ask = (socket, ...args) => socket.timeout(5000).emitWithAck(...args);
  await ask(alice, "join", "den");
  await ask(bob, "join", "den");
  await ask(alice, "say", "den", "one");
  await ask(alice, "whisper", "den", "two");
  await ask(bob, "leave", "den");
  await ask(alice, "say", "den", "three");
  await ask(carol, "say", bob.id, "to bob alone");
  // What was said before has been delivered once an answer that was asked for later is here.
  for (const socket of [alice, bob, carol]) await ask(socket, "say", socket.id, "end");
  while (![alice, bob, carol].every((_, i) => Object.values(heard)[i].includes("end"))) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(heard.alice, ["one", "three", "end"]);
  assert.deepEqual(heard.bob, ["one", "two", "to bob alone", "end"]);
  assert.deepEqual(heard.carol, ["end"]);
});

test("a broadcast with acknowledgements gathers what comes in time and counts the rest", async (t) => {
  const asker = connect(t, server.url);
  await next(asker, "connect");
  const ask = (room, timeout) => asker.timeout(5000).emitWithAck("survey", room, timeout);
  assert.deepEqual(await ask("jury", 5000), { answers: [], missing: 0 });

  const jury = Array.from({ length: 8 }, (_, i) => connect(t, server.url, i % 2 ? { transports: ["websocket"] } : {}));
  await Promise.all(jury.map((socket) => next(socket, "connect")));
  for (const [i, socket] of jury.entries()) {
    await socket.timeout(5000).emitWithAck("join", "jury");
    socket.on("question", (mark, answer) => i < 6 && answer(i, Buffer.from([i]), mark));
  }
  // Six answer, one is silent, one leaves.
  jury[7].on("question", () => jury[7].disconnect());
  const { answers, missing } = await ask("jury", 400);
  assert.equal(missing, 2);
  assert.deepEqual(answers.map(([i]) => i).sort(), [0, 1, 2, 3, 4, 5]);
  assert.ok(answers.every(([, bytes, mark]) => bytes._placeholder && mark === "?"));
});

test("two namespaces share one connection and know nothing of each other", async (t) => {
  const root = connect(t, server.url);
  await next(root, "connect");
  const custom = root.io.socket("/custom", { auth: { who: "custom" } });
  t.after(() => custom.disconnect());
  assert.deepEqual(await next(custom, "auth"), [{ who: "custom" }]);
  assert.notEqual(custom.id, root.id);
  assert.equal(custom.io.engine.id, root.io.engine.id);
  custom.disconnect();
  assert.equal(await root.timeout(5000).emitWithAck("message-with-ack", "still here"), "still here");
});

test("connect() twice sends CONNECT twice: the connection ends as with Node's server, and the client comes back", async (t) => {
  const root = connect(t, server.url, { reconnection: true, reconnectionDelay: 50 });
  await next(root, "connect");
  const custom = root.io.socket("/custom", { auth: { who: "custom" } });
  t.after(() => custom.disconnect());
  const gone = next(root, "disconnect");
  custom.connect(); // it was connecting already
  const [reason] = await gone;
  assert.equal(reason, "transport close");
  await Promise.all([root, custom].map((socket) => socket.connected || next(socket, "connect")));
  assert.equal(await root.timeout(5000).emitWithAck("message-with-ack", 1), 1);
});

test("disconnect(true) holds in every namespace of the connection", async (t) => {
  const watcher = connect(t, server.url);
  await next(watcher, "connect");
  for (const transports of [["polling"], ["websocket"]]) {
    const watched = connect(t, `${server.url}/watched`, { transports, reconnection: true, reconnectionDelay: 20 });
    const custom = watched.io.socket("/custom");
    t.after(() => custom.disconnect());
    await Promise.all([watched, custom].map((socket) => socket.connected || next(socket, "connect")));
    let back = 0;
    for (const socket of [watched, custom]) socket.on("connect", () => ++back);
    const reasons = Promise.all([watched, custom].map((socket) => next(socket, "disconnect")));
    const departed = next(watcher, "departed");
    watched.emit("kick-me", true);
    for (const [reason] of await reasons) assert.equal(reason, "io server disconnect");
    assert.equal((await departed)[1], "server namespace disconnect");
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(back, 0, "neither comes back by itself");
    custom.connect();
    await next(custom, "connect");
  }
});

test("forceBase64: binary both ways, over each transport and after an upgrade", async (t) => {
  for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]]) {
    const socket = connect(t, server.url, { transports, forceBase64: true });
    const upgrade = transports.length === 2 ? next(socket.io.engine, "upgrade") : undefined;
    await Promise.all([next(socket, "connect"), upgrade]);
    const back = next(socket, "message-back");
    socket.emit("message", Buffer.from([1, 2, 3]), { deep: [Buffer.from("x")] });
    const [bytes, more] = await back;
    assert.deepEqual(Buffer.from(bytes), Buffer.from([1, 2, 3]));
    assert.deepEqual(Buffer.from(more.deep[0]), Buffer.from("x"));
    assert.equal(socket.connected, true);
  }
});

test("connect_error: an unknown namespace, a missing token, a wrong one; then the right one", async (t) => {
  const unknown = connect(t, `${server.url}/nowhere`);
  assert.equal((await next(unknown, "connect_error"))[0].message, "Invalid namespace");

  const missing = connect(t, `${server.url}/closed`);
  const [error] = await next(missing, "connect_error");
  assert.equal(error.message, "not authorized");
  assert.deepEqual(error.data, { code: "TOKEN_MISSING" });

  const token = connect(t, `${server.url}/closed`, { auth: { token: "wrong" } });
  assert.deepEqual((await next(token, "connect_error"))[0].data, { code: "TOKEN_INVALID" });
  token.auth = { token: "sesame" };
  token.connect();
  await next(token, "connect");
});

test("a handler that throws costs nobody the connection", async (t) => {
  const socket = connect(t, server.url);
  await next(socket, "connect");
  socket.emit("throw");
  assert.equal(await socket.timeout(5000).emitWithAck("message-with-ack", 1), 1);
});
