// Everything that waits for a time: heartbeats, deadlines, and sessions that nobody uses any more.
// The tests run side by side, as they mostly wait; the times leave room for a busy machine.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { RawPeer, binary, kClose, ping } from "./frames.mjs";
import { Inbox, Polling, Socket, joined, request, startServer, within } from "./harness.mjs";

const kInterval = 400;
const kTimeout = 1000;
const kConnect = 1000; // the example server's
const kAttachment = 600;

let server;
before(async () => {
  const times = { "--ping-interval": kInterval, "--ping-timeout": kTimeout, "--attachment-timeout": kAttachment };
  server = await startServer({ args: Object.entries(times).flat().map(String) });
});
after(async () => {
  // None of all these may be left: the last ones end by their ping time-out.
  const deadline = Date.now() + 10_000;
  let counts;
  do {
    await sleep(50);
    counts = JSON.parse((await request(`${server.url}/connections`)).body);
  } while (counts.engineio + counts.socketio > 0 && Date.now() < deadline);
  assert.deepEqual(counts, { socketio: 0, engineio: 0 });
  assert.equal(await server.stop(), 0);
});

const elapsed = async (promise) => {
  const start = performance.now();
  await promise;
  return performance.now() - start;
};

/** About that long, or longer: a busy machine is late to start our watch, and late to stop it. */
function assertTakes(took, least) {
  assert.ok(took >= least * 0.6, `${took} ms are much less than ${least}`);
  assert.ok(took <= least + 3000, `${took} ms are much more than ${least}`);
}

const untilClose = async (peer) => {
  while ((await peer.take("a close frame")).opcode !== kClose);
};

describe("heartbeat", { concurrency: true }, () => {
  test("pings come over polling, and pongs keep the session", async () => {
    const session = await Polling.open(server);
    for (let i = 0; i < 3; ++i) {
      assert.equal((await session.poll()).body, "2");
      assert.equal((await session.post("3")).body, "ok");
    }
  });

  test("pings come over a WebSocket, one an interval, and pongs keep the session", async (t) => {
    const socket = await Socket.open(t, server);
    assertTakes(await elapsed(socket.take()), kInterval);
    for (let i = 0; i < 4; ++i) {
      socket.send("3");
      const ping = socket.take();
      assertTakes(await elapsed(ping), kInterval);
      assert.equal(await ping, "2");
    }
  });

  test("without a pong a polling session ends after interval and time-out", async () => {
    const session = await Polling.open(server);
    assert.equal((await session.poll()).body, "2");
    assertTakes(await elapsed(session.poll()), kTimeout);
    assert.equal((await session.poll()).status, 400);
    assert.equal((await session.post("3")).status, 400);
  });

  test("without a pong a WebSocket ends after interval and time-out", async (t) => {
    const socket = await Socket.open(t, server);
    assertTakes(await elapsed(socket.end()), kInterval + kTimeout);
  });

  test("a polling session that is never polled ends too", async () => {
    const session = await Polling.open(server);
    await sleep(kInterval + kTimeout + 800);
    assert.equal((await session.poll()).status, 400);
  });

  test("messages instead of the pong renew the time-out once, not for ever", async (t) => {
    const socket = await Socket.open(t, server);
    assert.equal(await socket.take(), "2");
    const ended = elapsed(socket.end());
    await sleep(kTimeout / 2);
    const chatter = setInterval(() => socket.send("4a"), 50);
    t.after(() => clearInterval(chatter));
    const took = await ended;
    assert.ok(took > kTimeout * 1.2, `${took} ms: it was not renewed`);
  });

  test("a message over polling renews it as well, and the pong behind it counts", async () => {
    const session = await Polling.open(server);
    assert.equal((await session.poll()).body, "2");
    await sleep(kTimeout * 0.5);
    await session.post("4a");
    assert.equal((await session.poll()).body, "4a");
    await sleep(kTimeout * 0.65);
    assert.equal((await session.post("3")).body, "ok");
    assert.equal((await session.poll()).body, "2");
  });

  test("a pong that nobody asked for changes nothing", async (t) => {
    const socket = await Socket.open(t, server);
    socket.send("3", "3", "3extra");
    assert.equal(await socket.take(), "2");
    assertTakes(await elapsed(socket.end()), kTimeout);
  });

  test("the WebSocket's own pings and pongs are no heartbeat", async (t) => {
    const peer = await RawPeer.open(t, server);
    const beat = setInterval(() => peer.send(ping("x")), 50);
    t.after(() => clearInterval(beat));
    assertTakes(await elapsed(untilClose(peer)), kInterval + kTimeout);
  });

  test("a byte of a frame now and then is no heartbeat either", async (t) => {
    const peer = await RawPeer.open(t, server);
    peer.send(binary("x", { declared: 1000 }));
    const drip = setInterval(() => peer.send("x"), 50);
    t.after(() => clearInterval(drip));
    assertTakes(await elapsed(untilClose(peer)), kInterval + kTimeout);
  });

  test("the heartbeat goes on over an upgrade", async (t) => {
    const session = await Polling.open(server);
    const socket = new Socket(t, session.upgradeUrl);
    await within(socket.opened, "the handshake");
    socket.send("2probe", "5");
    assert.equal(await socket.take(), "3probe");
    for (let i = 0; i < 2; ++i) {
      assert.equal(await socket.take(), "2");
      socket.send("3");
    }
    assert.equal(await socket.take(), "2");
    await socket.end();
  });
});

describe("deadlines of Socket.IO", { concurrency: true }, () => {
  const keepAlive = (t, socket) => {
    // Everything but the pings, which are answered.
    const inbox = new Inbox();
    socket.raw.removeAllListeners("message");
    socket.raw.on("message", (data) => {
      if (data.toString() === "2") socket.send("3");
      else inbox.put(data.toString());
    });
    return inbox;
  };

  test("who joins no namespace is closed after a second, pongs or not", async (t) => {
    const socket = await Socket.open(t, server, "/socket.io/");
    keepAlive(t, socket);
    assertTakes(await elapsed(socket.end()), kConnect);
  });

  test("who only asks for namespaces that do not exist is closed as well", async (t) => {
    const socket = await Socket.open(t, server, "/socket.io/");
    const inbox = keepAlive(t, socket);
    socket.send("40/nowhere,");
    assert.equal(await inbox.take(), '44/nowhere,{"message":"Invalid namespace"}');
    assertTakes(await elapsed(socket.end()), kConnect);
  });

  test("who has joined stays", async (t) => {
    const socket = await Socket.open(t, server, "/socket.io/");
    const inbox = keepAlive(t, socket);
    socket.send("40");
    await inbox.take();
    await inbox.take();
    await sleep(kConnect + 400);
    socket.send('42["message","still here"]');
    assert.equal(await inbox.take(), '42["message-back","still here"]');
  });

  for (const [what, first] of Object.entries({ "its first": 0, "its second": 1 })) {
    test(`a binary event without ${what} attachment is closed at its deadline`, async (t) => {
      const socket = await joined(t, server);
      const inbox = keepAlive(t, socket);
      socket.send('452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
      if (first) socket.send(Buffer.from([1]));
      assertTakes(await elapsed(socket.end()), kAttachment);
      assert.equal(inbox.size, 0);
    });
  }

  test("a slow attachment that comes in time is taken, and the connection stays", async (t) => {
    const socket = await joined(t, server);
    const inbox = keepAlive(t, socket);
    socket.send('451-["message-with-ack",{"_placeholder":true,"num":0}]'.replace("-[", "-9["));
    await sleep(200);
    socket.send(Buffer.from([7]));
    assert.match(await inbox.take(), /^461-9\[/);
    await sleep(kAttachment + 200);
    socket.send('427["message-with-ack"]');
    let answer;
    do answer = await inbox.take();
    while (answer === "\x07");
    assert.equal(answer, "437[]");
  });
});
