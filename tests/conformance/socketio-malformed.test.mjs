// Socket.IO v5: whatever is malformed closes the connection, is never answered, and hurts nobody else.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Polling, Socket, joined, kCalm, startServer } from "./harness.mjs";

let server;
before(async () => (server = await startServer(kCalm)));
after(async () => assert.equal(await server.stop(), 0));

const p = (num, more = "") => `{"_placeholder":true,"num":${num}${more}}`;
const nested = (depth) => `42["message",${"[".repeat(depth)}${"]".repeat(depth)}]`;

const texts = {
  types: ["4", "4abc", "47", "49[]", "4 2[]", "4-1", "4\u0000", "44", '44{"message":"x"}', "4２[]"],
  events: [
    "42", "42{}", '42"message"', "421", "42null", "42[]", "42[1]", "42[null]", "42[true]", "42[{}]", '42[["message"]]',
    '42{"0":"message","length":1}',
  ],
  "broken JSON": [
    '42["message"', '42["message",]', '42["message"]]', '42["message"] x', '42["message",01]', '42["message",NaN]',
    "42['message']", '42["message",undefined]', '42["message",{"a":1,}]', '42["\\ud80"]', '42["\\x"]', "42[\"a\nb\"]",
    '42["message",1e]', '42abc["message"]', "42[...]", '42abc["message",1]',
  ],
  "reserved events": ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"].map(
    (name) => `42["${name}"]`,
  ),
  "a reserved event that JSON hides": ['42["\\u0063onnect"]'],
  ids: [
    '42-1["message"]', '42+1["message"]', '421.5["message"]', '421e3["message"]', '42 1["message"]', '420x10["message"]',
    '42abc["message-with-ack"]', '4218446744073709551616["message"]', `42${"9".repeat(400)}["message"]`, '421_["message"]',
  ],
  acknowledgements: ["43", "43[]", "431", "431{}", '431"x"', "431null", "43-1[]", "43abc[]"],
  disconnects: ["41{}", '41"bye"', "41[]", "411[]"],
  connects: ["40[]", '40"token"', "40true", "40{", '40{"token"}', "40/custom,[]", "40/custom,true"],
  namespaces: [
    '42/custom,["message"]', "41/custom,", "43/custom,1[]", '42/random,["message"]', '42/["message"]', '42/,',
    `40/${"n".repeat(300)},`, `42/${"n".repeat(100_000)}["message"]`,
  ],
  attachments: [
    '45["message"]', '45-["message"]', `450-["message"]`, `4511-["message"]`, '45-1-["message"]', '45+1-["message"]',
    `451["message",${p(0)}]`, `451x-["message",${p(0)}]`, `451.5-["message",${p(0)}]`, `45999999999-["message",${p(0)}]`,
    `45${"9".repeat(30)}-["message",${p(0)}]`, `451e1-["message",${p(0)}]`, '451-', '451-{}', "451-[]", "451-[1]",
    '451-["connect"]', '460-1[]', "461-[]", `461-[${p(0)}]`, `46-1[${p(0)}]`, '4611-1[]', "451", "45", "46",
  ],
  placeholders: [
    '451-["message"]',
    `451-["message",${p(1)}]`, `451-["message",${p(-1)}]`, `451-["message",${p(0.5)}]`, `451-["message",${p('"0"')}]`,
    `451-["message",${p('"splice"')}]`, `451-["message",${p("null")}]`, `451-["message",${p("[0]")}]`,
    `451-["message",${p("1e300")}]`, `451-["message",${p("18446744073709551616")}]`, '451-["message",{"_placeholder":true}]',
    `452-["message",${p(0)}]`,
    `452-["message",${p(0)},${p(0)}]`, `451-["message",${p(0)},${p(0)}]`, `451-["message",{"a":${p(0)},"b":[${p(0)}]}]`,
    `451-[${p(0)}]`, `461-1[${p(1)}]`, `461-1[${p(0)},${p(0)}]`,
  ],
  // Written again they would be `Infinity`, and whoever hears that closes its connection.
  "numbers that no double holds": ['42["message-with-ack",1e400]', '421["message-with-ack",{"a":[-1e400]}]'],
  depth: [nested(128), nested(500), nested(100_000), `42["message",${'{"a":'.repeat(128)}1${"}".repeat(128)}]`],
};
const shown = (text) => (text.length > 60 ? `${text.slice(0, 57)}… (${text.length})` : JSON.stringify(text));

for (const [group, packets] of Object.entries(texts)) {
  describe(group, () => {
    for (const packet of packets) {
      test(shown(packet), async (t) => {
        const socket = await joined(t, server);
        // What stands behind it is not read: neither as the attachments that it announces, nor as a packet.
        const announced = Number(/^4[56](\d{1,2})-/.exec(packet)?.[1] ?? 0);
        socket.send(packet, ...Array.from({ length: announced }, () => Buffer.from([1])), '4298["message-with-ack","behind"]');
        await socket.end();
        assert.equal(socket.inbox.size, 0, "no answer");
      });
    }
  });
}

describe("attachments out of turn", () => {
  const sequences = {
    "one that nothing announced": [Buffer.from([1])],
    "an empty one that nothing announced": [Buffer.alloc(0)],
    "one more than announced": [`451-["nobody",${p(0)}]`, Buffer.from([1]), Buffer.from([2])],
    "a text where one is due": [`451-["message",${p(0)}]`, '42["message"]'],
    "a CONNECT where one is due": [`451-["message",${p(0)}]`, "40/custom,"],
    "a text where the second is due": [`452-["message",${p(0)},${p(1)}]`, Buffer.from([1]), '42["message"]'],
    "another binary event where one is due": [`451-["message",${p(0)}]`, `451-["message",${p(0)}]`],
  };
  for (const [what, packets] of Object.entries(sequences)) {
    test(what, async (t) => {
      const socket = await joined(t, server);
      socket.send(...packets, '4298["message-with-ack","behind"]');
      await socket.end();
      assert.equal(socket.inbox.size, 0, "no answer");
    });
  }

  test("attachments of more than the limit together", async (t) => {
    const socket = await joined(t, server);
    socket.send(`452-["message",${p(0)},${p(1)}]`, Buffer.alloc(600_000), Buffer.alloc(600_000));
    await socket.end();
    assert.equal(socket.inbox.size, 0, "no answer");
  });
});

// As Node's server: https://github.com/socketio/socket.io, packages/socket.io/test/close.ts, "protocol violations".
const violations = ["4abc", "42{}", '42["connect"]', '450-["message"]', "bAQ==", "40", '42/custom,["message"]'];
for (const packet of violations) {
  test(`over long-polling, what was sent before comes, then a close: ${packet}`, async () => {
    const session = await Polling.open(server, "/socket.io/");
    await session.post("40");
    await session.post('42["message",1]');
    assert.equal((await session.post(`${packet}\x1e42["message",2]`)).body, "ok");
    const [connected, greeting, ...rest] = (await session.poll()).body.split("\x1e");
    assert.match(connected, /^40\{"sid"/);
    assert.deepEqual([greeting, ...rest], ['42["auth",{}]', '42["message-back",1]'], "and nothing behind the violation");
    assert.equal((await session.poll()).body, "1");
    assert.equal((await session.poll()).body, '{"code":1,"message":"Session ID unknown"}');
  });

  test(`over long-polling, a poll that waits gets the close: ${packet}`, async () => {
    const session = await Polling.open(server, "/socket.io/");
    await session.post("40");
    await session.take(2);
    const poll = session.poll();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await session.post(packet);
    assert.equal((await poll).body, "1");
    assert.equal((await session.poll()).body, '{"code":1,"message":"Session ID unknown"}');
  });
}

test("during an upgrade, what was sent before comes by the WebSocket, then its end", async (t) => {
  const session = await Polling.open(server, "/socket.io/");
  await session.post("40");
  await session.take(2);
  const socket = new Socket(t, session.upgradeUrl);
  await socket.opened;
  socket.send("2probe");
  assert.equal(await socket.take(), "3probe");
  await session.post('42["message",1]\x1e4abc\x1e42["message",2]');
  await session.post('42["message",3]');
  socket.send("5");
  assert.equal(await socket.take(), '42["message-back",1]');
  await socket.end();
  assert.equal(socket.inbox.size, 0);
});

test("half of a surrogate pair, in an event's name, a key, a text: U+FFFD", async (t) => {
  const socket = await joined(t, server);
  socket.send('42["message","cut \\ud83c",{"k\\uDFAC":"\\ud83c\\udfac"}]');
  assert.equal(await socket.take(), '42["message-back","cut \ufffd",{"k\ufffd":"🎬"}]');
  socket.send('421["\\ud800","nobody listens"]', '422["message-with-ack",JSON]'.replace("JSON", JSON.stringify("x🎬".slice(0, 2))));
  assert.equal(await socket.take(), '432["x\ufffd"]');
});

test("packets before the malformed one are answered", async (t) => {
  const socket = await joined(t, server);
  socket.send('42["message","before"]', "42{}");
  assert.equal(await socket.take(), '42["message-back","before"]');
  await socket.end();
});

test("depth that is allowed passes", async (t) => {
  const socket = await joined(t, server);
  socket.send(nested(127));
  assert.equal(await socket.take(), `42["message-back",${"[".repeat(127)}${"]".repeat(127)}]`);
});

test("after all this, others live", async (t) => {
  const bystander = await joined(t, server);
  for (const packet of ["4abc", `42${"9".repeat(400)}["x"]`, nested(10_000)]) {
    const hostile = await joined(t, server);
    hostile.send(packet);
    await hostile.end();
  }
  bystander.send('421["message-with-ack","fine"]');
  assert.equal(await bystander.take(), '431["fine"]');
});
