// How many namespaces a connection and how many rooms a socket may have; the other limits are tested where they bite.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, next, startServer } from "./server.mjs";

const counts = async (server) => (await fetch(`${server.url}/limits`)).json();

test("a connection may join so many namespaces, and the next one is told why not", async (t) => {
  const server = await startServer({ args: ["--max-namespaces", "2"] });
  t.after(() => server.stop());
  const first = connect(t, server.url);
  await next(first, "connect");
  const second = first.io.socket("/custom");
  await next(second, "connect");
  const third = first.io.socket("/watched");
  const [error] = await next(third, "connect_error");
  assert.equal(error.message, "Too many namespaces");
  assert.equal((await counts(server)).tooManyNamespaces, 1);
  second.disconnect();
  await first.timeout(2000).emitWithAck("message-with-ack", "it has left by now");
  third.connect();
  await next(third, "connect");
  assert.ok(first.connected);
});

test("a socket may join so many rooms, and keeps those that it has", async (t) => {
  const server = await startServer({ args: ["--max-rooms", "3"] });
  t.after(() => server.stop());
  const socket = connect(t, server.url);
  await next(socket, "connect");
  for (const room of ["a", "b", "c", "d"]) await socket.timeout(2000).emitWithAck("join", room);
  assert.deepEqual((await socket.timeout(2000).emitWithAck("my-rooms")).sort(), ["a", "b", "c"]);
  assert.equal((await counts(server)).tooManyRooms, 1);
  await socket.timeout(2000).emitWithAck("leave", "a");
  await socket.timeout(2000).emitWithAck("join", "d");
  assert.deepEqual((await socket.timeout(2000).emitWithAck("my-rooms")).sort(), ["b", "c", "d"]);
});
