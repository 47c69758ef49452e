// Socket.IO v5 on Engine.IO v4: what a client may say, and the exact answers.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Polling, Socket, joined, kCalm, request, startServer } from "./harness.mjs";

let server;
before(async () => (server = await startServer(kCalm)));
after(async () => assert.equal(await server.stop(), 0));

const open = (t) => Socket.open(t, server, "/socket.io/");
const kPlaceholder = (num) => `{"_placeholder":true,"num":${num}}`;

/** `prefix` and a JSON object with `keys`; returns the object. */
function assertAnswer(packet, prefix, keys) {
  assert.ok(packet.startsWith(prefix), packet);
  const body = JSON.parse(packet.slice(prefix.length));
  for (const key of keys) assert.equal(typeof body[key], "string", `${key} in ${packet}`);
  assert.deepEqual(Object.keys(body).filter((key) => key !== "pid"), keys);
  return body;
}

/** It still answers, and nothing else had been said. */
async function assertAlive(socket) {
  socket.send('4299["message-with-ack","alive"]');
  assert.equal(await socket.take(), '4399["alive"]');
}

describe("connect", () => {
  test("without a payload", async (t) => {
    const socket = await open(t);
    socket.send("40");
    const { sid } = assertAnswer(await socket.take(), "40", ["sid"]);
    assert.match(sid, /^[\w-]{20}$/);
    assert.notEqual(sid, socket.handshake.sid, "the session's id is a secret of its own");
    assert.equal(await socket.take(), '42["auth",{}]');
  });

  test("with a payload", async (t) => {
    const socket = await open(t);
    socket.send('40{"token":"123","nested":{"a":[1,null,"☃"]}}');
    assertAnswer(await socket.take(), "40", ["sid"]);
    assert.equal(await socket.take(), '42["auth",{"token":"123","nested":{"a":[1,null,"☃"]}}]');
  });

  for (const [what, sent] of Object.entries({
    "with a payload": '40/custom,{"token":"abc"}',
    "with a query, as old clients do": '40/custom?x=1,{"token":"abc"}',
  })) {
    test(`a custom namespace, ${what}`, async (t) => {
      const socket = await open(t);
      socket.send(sent);
      assertAnswer(await socket.take(), "40/custom,", ["sid"]);
      assert.equal(await socket.take(), '42/custom,["auth",{"token":"abc"}]');
    });
  }

  for (const sent of ["40/custom", "40/custom,"]) {
    test(`a custom namespace, without a payload: ${sent}`, async (t) => {
      const socket = await open(t);
      socket.send(sent);
      assertAnswer(await socket.take(), "40/custom,", ["sid"]);
      assert.equal(await socket.take(), '42/custom,["auth",{}]');
    });
  }

  test("several namespaces over one connection, each with an id of its own", async (t) => {
    const socket = await open(t);
    socket.send("40/custom,", "40");
    const custom = assertAnswer(await socket.take(), "40/custom,", ["sid"]);
    assert.equal(await socket.take(), '42/custom,["auth",{}]');
    const root = assertAnswer(await socket.take(), "40", ["sid"]);
    assert.equal(await socket.take(), '42["auth",{}]');
    assert.notEqual(root.sid, custom.sid);
    await assertAlive(socket);
  });

  for (const name of ["/random", "/__proto__", "/Custom", "/custom/"]) {
    test(`an unknown namespace: ${name}`, async (t) => {
      const socket = await open(t);
      socket.send(`40${name},`);
      assert.equal(await socket.take(), `44${name},{"message":"Invalid namespace"}`);
      socket.send("40");
      assertAnswer(await socket.take(), "40", ["sid"]);
    });
  }

  test("a client of Socket.IO 2 learns why it is not let in, in its own protocol, and does not come back", async () => {
    const answer = await request(`${server.url}/socket.io/?EIO=3&transport=polling&b64=1`);
    assert.equal(answer.status, 200);
    const packets = [];
    for (let rest = answer.body; rest !== "";) {
      const [, length] = /^(\d+):/.exec(rest);
      const from = length.length + 1;
      packets.push(rest.slice(from, from + Number(length)));
      rest = rest.slice(from + Number(length));
    }
    assert.match(packets[0], /^0\{"sid":"none"/);
    assert.match(packets[1], /^44".*Socket\.IO 3 and 4.*update socket\.io-client/);
    assert.deepEqual(packets.slice(2), ["41", "41/closed,", "41/custom,", "41/slow,", "41/watched,", "1"]);
    const poll = await request(`${server.url}/socket.io/?EIO=3&transport=polling&sid=none`);
    assert.equal(poll.body, '{"code":1,"message":"Session ID unknown"}');
    const post = await request(`${server.url}/socket.io/?EIO=3&transport=websocket`);
    assert.equal(post.status, 400);
  });

  test("twice: the second ends the connection, after what was sent before", async (t) => {
    const socket = await joined(t, server);
    socket.send('42["message","before"]', "40", '42["message","behind"]');
    assert.equal(await socket.take(), '42["message-back","before"]');
    await socket.end();
    assert.equal(socket.inbox.size, 0);
  });

  test("twice while a middleware still looks at the first: one answer", async (t) => {
    const socket = await open(t);
    socket.send("40/slow,", "40/slow,");
    assertAnswer(await socket.take(), "40/slow,", ["sid"]);
    socket.send('42/slow,["message",1]');
    assert.equal(await socket.take(), '42/slow,["message-back",1]');
  });

  test("a middleware's refusal carries its data", async (t) => {
    const socket = await open(t);
    socket.send('40/closed,{"token":"wrong"}');
    assert.equal(await socket.take(), '44/closed,{"message":"not authorized","data":{"code":"TOKEN_INVALID"}}');
    socket.send("40/closed,");
    assert.equal(await socket.take(), '44/closed,{"message":"not authorized","data":{"code":"TOKEN_MISSING"}}');
    socket.send('40/closed,{"token":"sesame"}');
    assertAnswer(await socket.take(), "40/closed,", ["sid"]);
  });

  test("over long-polling", async () => {
    const session = await Polling.open(server, "/socket.io/");
    assert.equal((await session.post('40{"token":"p"}')).body, "ok");
    const [answer, auth] = await session.take(2);
    assertAnswer(answer, "40", ["sid"]);
    assert.equal(auth, '42["auth",{"token":"p"}]');
    await session.post('42["message",1]\x1e421["message-with-ack","☃"]');
    assert.deepEqual(await session.take(2), ['42["message-back",1]', '431["☃"]']);
  });

  for (const [what, packet] of Object.entries({
    "an event": '42["message"]',
    "an event for another namespace": '42/custom,["message"]',
    "an acknowledgement": "430[]",
    "a disconnect": "41",
    "a binary event": `451-["message",${kPlaceholder(0)}]`,
    "an attachment": Buffer.from([1]),
  })) {
    test(`${what} before CONNECT closes the connection`, async (t) => {
      const socket = await open(t);
      socket.send(packet);
      if (typeof packet === "string" && packet.startsWith("451-")) socket.send(Buffer.from([1]));
      await socket.end();
      assert.equal(socket.inbox.size, 0);
    });
  }
});

describe("disconnect", () => {
  test("from a custom namespace: the connection and the others stay", async (t) => {
    const socket = await joined(t, server);
    socket.send("40/custom,");
    assertAnswer(await socket.take(), "40/custom,", ["sid"]);
    assert.equal(await socket.take(), '42/custom,["auth",{}]');
    socket.send("41/custom,");
    await assertAlive(socket);
  });

  test("and come back, under another id", async (t) => {
    const socket = await joined(t, server);
    const { sid } = JSON.parse(socket.connectAnswer.slice(2));
    socket.send("41", "40");
    const again = assertAnswer(await socket.take(), "40", ["sid"]);
    assert.notEqual(again.sid, sid);
    assert.equal(await socket.take(), '42["auth",{}]');
    await assertAlive(socket);
  });

  test("by the server: one namespace, or all of the connection", async (t) => {
    const socket = await joined(t, server);
    socket.send("40/watched,");
    assertAnswer(await socket.take(), "40/watched,", ["sid"]);
    socket.send('42/watched,["kick-me",false]');
    const told = [await socket.take(), await socket.take()];
    assert.ok(told.includes("41/watched,"), `${told}`);
    assert.ok(told.some((packet) => packet.includes("server namespace disconnect")), `${told}`);
    await assertAlive(socket);
    socket.send('42["kick-me",true]');
    await socket.end();
  });
});

describe("events", () => {
  test("plain, with all kinds of values", async (t) => {
    const socket = await joined(t, server);
    for (const args of ['1,"2",{"3":[false]}', "null,true,-1.5,1e300,[],{}", '"☃ 🎬 \\u0000 \\" \\\\"', '{"__proto__":{"a":1}}']) {
      socket.send(`42["message",${args}]`);
      const answer = await socket.take();
      assert.ok(answer.startsWith('42["message-back",'), answer);
      assert.deepEqual(JSON.parse(answer.slice(2)).slice(1), JSON.parse(`[${args}]`));
    }
  });

  test("without arguments, and one that nobody handles", async (t) => {
    const socket = await joined(t, server);
    socket.send('42["message"]', '42["nobody handles this",1]', '4212["nobody answers this"]');
    assert.equal(await socket.take(), '42["message-back"]');
    await assertAlive(socket);
  });

  test("whitespace in JSON is JSON", async (t) => {
    const socket = await joined(t, server);
    socket.send('42[ "message" ,\n1\t]');
    assert.equal(await socket.take(), '42["message-back",1]');
  });

  test("in a custom namespace, and never in the wrong one", async (t) => {
    const socket = await joined(t, server);
    socket.send('40/closed,{"token":"sesame"}');
    await socket.take();
    socket.send('42/closed,["message","in it"]', '42["message","outside"]');
    assert.equal(await socket.take(), '42/closed,["message-back","in it"]');
    assert.equal(await socket.take(), '42["message-back","outside"]');
  });

  test("a thousand in one go, in their order", async (t) => {
    const socket = await joined(t, server);
    socket.send(...Array.from({ length: 1000 }, (_, i) => `42["message",${i}]`));
    for (let i = 0; i < 1000; ++i) assert.equal(await socket.take(), `42["message-back",${i}]`);
  });

  for (const id of ["0", "456", "9007199254740993", "18446744073709551615"]) {
    test(`an acknowledgement carries the id back: ${id}`, async (t) => {
      const socket = await joined(t, server);
      socket.send(`42${id}["message-with-ack",1,"2",{"3":[false]}]`);
      assert.equal(await socket.take(), `43${id}[1,"2",{"3":[false]}]`);
    });
  }

  test("the server's question, our acknowledgement", async (t) => {
    const socket = await joined(t, server);
    socket.send('421["ask-me",3000]');
    const question = await socket.take();
    const [, id] = /^42(\d+)\["question","why"\]$/.exec(question);
    socket.send(`43${id}["because"]`);
    assert.equal(await socket.take(), '431["answered",["because"]]');
    // A second answer, and answers that nobody waits for, are nobody's business.
    socket.send(`43${id}["again"]`, "43123456[]", "430[1]");
    await assertAlive(socket);
  });

  test("the server's question without an answer times out", async (t) => {
    const socket = await joined(t, server);
    socket.send('421["ask-me",30]');
    const question = await socket.take();
    const [, id] = /^42(\d+)\[/.exec(question);
    assert.equal(await socket.take(), '431["failed","TIMED_OUT"]');
    socket.send(`43${id}["too late"]`);
    await assertAlive(socket);
  });
});

describe("binary", () => {
  const bytes = (...values) => Buffer.from(values);

  test("one attachment", async (t) => {
    const socket = await joined(t, server);
    socket.send(`451-["message",${kPlaceholder(0)}]`, bytes(1, 2, 3));
    assert.equal(await socket.take(), `451-["message-back",${kPlaceholder(0)}]`);
    assert.deepEqual(await socket.take(), bytes(1, 2, 3));
  });

  test("several, nested, out of order, one of them empty", async (t) => {
    const socket = await joined(t, server);
    socket.send(
      `453-["message",{"a":[${kPlaceholder(2)}],"b":{"c":${kPlaceholder(0)}}},${kPlaceholder(1)},"plain"]`,
      bytes(1),
      bytes(),
      bytes(3, 3),
    );
    const answer = await socket.take();
    const got = [await socket.take(), await socket.take(), await socket.take()];
    assert.ok(answer.startsWith('453-["message-back",'), answer);
    const [, first, second, plain] = JSON.parse(answer.slice(4));
    assert.deepEqual(got[first.a[0].num], bytes(3, 3));
    assert.deepEqual(got[first.b.c.num], bytes(1));
    assert.deepEqual(got[second.num], bytes());
    assert.equal(plain, "plain");
  });

  test("ten attachments, the most there may be", async (t) => {
    const socket = await joined(t, server);
    const list = Array.from({ length: 10 }, (_, i) => kPlaceholder(i)).join();
    socket.send(`4510-["message",${list}]`, ...Array.from({ length: 10 }, (_, i) => bytes(i)));
    assert.equal(await socket.take(), `4510-["message-back",${list}]`);
    for (let i = 0; i < 10; ++i) assert.deepEqual(await socket.take(), bytes(i));
  });

  test("an acknowledgement with binary, asked for by text and by binary", async (t) => {
    const socket = await joined(t, server);
    socket.send(`451-7["message-with-ack",${kPlaceholder(0)}]`, bytes(9));
    assert.equal(await socket.take(), `461-7[${kPlaceholder(0)}]`);
    assert.deepEqual(await socket.take(), bytes(9));

    socket.send('421["ask-me",3000]');
    const [, id] = /^42(\d+)\[/.exec(await socket.take());
    socket.send(`461-${id}[${kPlaceholder(0)}]`, bytes(5));
    assert.match(await socket.take(), /^431\["answered",/);
    await assertAlive(socket);
  });

  test("in a namespace", async (t) => {
    const socket = await joined(t, server);
    socket.send('40/closed,{"token":"sesame"}');
    await socket.take();
    socket.send(`451-/closed,["message",${kPlaceholder(0)}]`, bytes(4));
    assert.equal(await socket.take(), `451-/closed,["message-back",${kPlaceholder(0)}]`);
    assert.deepEqual(await socket.take(), bytes(4));
  });

  test("over long-polling, in one payload and in several", async () => {
    const session = await Polling.open(server, "/socket.io/");
    await session.post("40");
    await session.take(2);
    await session.post(`451-["message",${kPlaceholder(0)}]\x1ebAQI=`);
    assert.deepEqual(await session.take(2), [`451-["message-back",${kPlaceholder(0)}]`, "bAQI="]);
    await session.post(`451-["message",${kPlaceholder(0)}]`);
    await session.post("bAQI=");
    assert.deepEqual(await session.take(2), [`451-["message-back",${kPlaceholder(0)}]`, "bAQI="]);
  });

  test("what only looks like a placeholder is an object like any other", async (t) => {
    const socket = await joined(t, server);
    socket.send('42["message",{"_placeholder":"yes","num":7},{"_placeholder":false,"num":0}]');
    assert.equal(
      await socket.take(),
      '42["message-back",{"_placeholder":"yes","num":7},{"_placeholder":false,"num":0}]',
    );
  });
});
