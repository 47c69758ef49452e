// The real client over a wire that breaks again and again: it always comes back, and the server forgets what is gone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { breakingWire, random } from "./proxies.mjs";
import { connect, startServer } from "./server.mjs";

const kReconnects = 200;
const kClients = 8;
const seed = Number(process.env.RUSHES_SEED ?? Date.now() % 1_000_000);

const connections = async (server) => (await fetch(`${server.url}/connections`)).json();

for (const [name, transports] of Object.entries({
  "default (polling, then upgrade)": ["polling", "websocket"],
  "websocket only": ["websocket"],
})) {
  test(`${name}: ${kReconnects} reconnects over a wire that breaks, and nothing is left behind`, async (t) => {
    t.diagnostic(`RUSHES_SEED=${seed}`);
    const server = await startServer();
    t.after(() => server.stop());
    const wire = await breakingWire(server.port, random(seed), { longest: transports.length > 1 ? 120 : 60 });
    t.after(() => wire.stop());

    const sockets = [];
    let connects = 0;
    let wrong = 0;
    const enough = new Promise((resolve) => {
      for (let i = 0; i < kClients; ++i) {
        const socket = connect(t, wire.url, {
          transports,
          reconnection: true,
          reconnectionDelay: 1,
          reconnectionDelayMax: 5,
          timeout: 1000,
        });
        socket.on("connect", () => {
          if (++connects === kReconnects + kClients) resolve();
          const nonce = `${i}-${connects}`;
          // An answer may be lost with its connection, but it is never another's.
          socket.emit("message-with-ack", nonce, (answer) => (wrong += answer === nonce ? 0 : 1));
        });
        sockets.push(socket);
      }
    });
    await enough;
    wire.heal();
    // Once the wire holds, all of them are there, and stay.
    await Promise.all(
      sockets.map(async (socket, i) => {
        for (;;) {
          const answer = await socket.timeout(2000).emitWithAck("message-with-ack", i).catch(() => null);
          if (answer === i) return;
        }
      }),
    );
    assert.equal(wrong, 0);
    assert.ok(wire.cuts >= kReconnects, `${wire.cuts} cuts`);

    for (const socket of sockets.splice(0)) socket.disconnect();
    const deadline = Date.now() + 5000;
    let left;
    do {
      await sleep(50);
      left = await connections(server);
    } while (left.socketio > 0 && Date.now() < deadline);
    assert.equal(left.socketio, 0);
    assert.equal(await server.stop(), 0);
  });
}
