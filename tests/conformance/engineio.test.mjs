// Engine.IO v4: handshake, messages, upgrade, closing; and the words of every refusal.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Polling, Socket, kCalm, request, startServer, within } from "./harness.mjs";

let server;
before(async () => (server = await startServer(kCalm)));
after(async () => assert.equal(await server.stop(), 0));

const kUnknownSession = '{"code":1,"message":"Session ID unknown"}';
const kBadRequest = '{"code":3,"message":"Bad request"}';

/** The session is gone: a poll of it is refused. */
async function assertDead(session) {
  const answer = await session.poll();
  assert.equal(answer.status, 400);
  assert.equal(answer.body, kUnknownSession);
}

describe("handshake", () => {
  for (const path of ["/engine.io/", "/engine.io"]) {
    test(`polling at ${path}`, async () => {
      const answer = await request(`${server.url}${path}?EIO=4&transport=polling`);
      assert.equal(answer.status, 200);
      assert.match(answer.headers.get("content-type"), /^text\/plain/);
      assert.match(answer.headers.get("cache-control"), /no-store/);
      assert.equal(answer.headers.get("set-cookie"), null);
      assert.equal(answer.body[0], "0");
      const open = JSON.parse(answer.body.slice(1));
      assert.deepEqual(Object.keys(open), ["sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"]);
      assert.match(open.sid, /^[\w-]{20}$/);
      assert.deepEqual(open.upgrades, ["websocket"]);
      assert.deepEqual([open.pingInterval, open.pingTimeout, open.maxPayload], [20_000, 20_000, 1_000_000]);
    });

    test(`websocket at ${path}`, async (t) => {
      const { handshake } = await Socket.open(t, server, path);
      assert.deepEqual(Object.keys(handshake), ["sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"]);
      assert.deepEqual(handshake.upgrades, []);
    });
  }

  test("no two sessions share an id", async () => {
    const sids = await Promise.all(Array.from({ length: 50 }, () => Polling.open(server).then(({ sid }) => sid)));
    assert.equal(new Set(sids).size, 50);
  });

  test("every id begins with the server's prefix, and the id of a server with another one is unknown", async (t) => {
    const [a, b] = await Promise.all(["a", "_"].map((prefix) => startServer({ args: [...kCalm.args, "--sid-prefix", prefix] })));
    t.after(() => Promise.all([a.stop(), b.stop()]));
    for (const [owner, other, prefix] of [[a, b, "a"], [b, a, "_"]]) {
      const sessions = await Promise.all(Array.from({ length: 20 }, () => Polling.open(owner)));
      for (const session of sessions) {
        assert.match(session.sid, /^[\w-]{20}$/);
        assert.equal(session.sid[0], prefix);
        assert.equal((await session.post("4x")).body, "ok");
        assert.equal((await session.poll()).body, "4x");
        const elsewhere = await request(session.url.replace(owner.url, other.url));
        assert.equal(elsewhere.body, kUnknownSession);
      }
      assert.equal(new Set(sessions.map(({ sid }) => sid)).size, 20);
      assert.equal((await Socket.open(t, owner)).handshake.sid[0], prefix);
    }
  });

  for (const greeting of ["hello", "bye"]) {
    test(`what the handler sends before and in on_open follows the open packet: ${greeting}`, async (t) => {
      const query = `EIO=4&greeting=${greeting}`;
      const answer = await request(`${server.url}/engine.io/?${query}&transport=polling`);
      const [open, ...more] = answer.body.split("\x1e");
      assert.equal(open[0], "0");
      assert.deepEqual(more, [`4before ${greeting}`, `4${greeting}`]);
      const socket = new Socket(t, `${server.url.replace("http", "ws")}/engine.io/?${query}&transport=websocket`);
      assert.equal((await socket.take())[0], "0");
      assert.equal(await socket.take(), `4before ${greeting}`);
      assert.equal(await socket.take(), `4${greeting}`);
      const poll = `${server.url}/engine.io/?EIO=4&transport=polling&sid=${JSON.parse(open.slice(1)).sid}`;
      if (greeting === "hello") {
        socket.send("4x");
        assert.equal(await socket.take(), "4x");
      } else {
        await socket.end();
        assert.equal((await request(poll)).body, "1");
        assert.equal((await request(poll)).body, kUnknownSession);
      }
    });
  }

  test("unknown parameters are nobody's business, and the order of the known ones is free", async () => {
    const answer = await request(`${server.url}/engine.io/?t=abc&transport=polling&b64=1&EIO=4&x=%F0%9F%8E%AC`);
    assert.equal(answer.status, 200);
  });

  const refused = {
    "transport=polling": [5, "Unsupported protocol version"],
    "EIO=3&transport=polling": [5, "Unsupported protocol version"],
    "EIO=5&transport=polling": [5, "Unsupported protocol version"],
    "EIO=abc&transport=polling": [5, "Unsupported protocol version"],
    "EIO=4": [0, "Transport unknown"],
    "EIO=4&transport=": [0, "Transport unknown"],
    "EIO=4&transport=abc": [0, "Transport unknown"],
    "EIO=4&transport=__proto__": [0, "Transport unknown"],
    "EIO=4&transport=websocket": [3, "Bad request"],
    "EIO=4&transport=polling&sid=abc": [1, "Session ID unknown"],
    "EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA": [1, "Session ID unknown"],
    "EIO=4&transport=polling&sid=__proto__": [1, "Session ID unknown"],
    [`EIO=4&transport=polling&sid=${"a".repeat(4000)}`]: [1, "Session ID unknown"],
  };
  for (const [query, [code, message]] of Object.entries(refused)) {
    test(`refused: ?${query.slice(0, 60)}`, async () => {
      const answer = await request(`${server.url}/engine.io/?${query}`, { headers: { origin: "https://a.example" } });
      assert.equal(answer.status, 400);
      assert.match(answer.headers.get("content-type"), /^application\/json/);
      assert.equal(answer.headers.get("access-control-allow-origin"), "*");
      assert.deepEqual(JSON.parse(answer.body), { code, message });
    });
  }

  for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
    test(`refused: a handshake by ${method}`, async () => {
      const answer = await request(`${server.url}/engine.io/?EIO=4&transport=polling`, { method });
      assert.equal(answer.status, 400);
      assert.deepEqual(JSON.parse(answer.body), { code: 2, message: "Bad handshake method" });
    });
  }

  for (const [query, code] of [
    ["transport=websocket", 5],
    ["EIO=abc&transport=websocket", 5],
    ["EIO=3&transport=websocket", 5],
    ["EIO=4&transport=abc", 0],
    ["EIO=4", 0],
    ["EIO=4&transport=polling", 3],
    ["EIO=4&transport=websocket&sid=abc", 1],
  ]) {
    test(`refused: a WebSocket with ?${query}`, async (t) => {
      const socket = new Socket(t, `${server.url.replace("http", "ws")}/engine.io/?${query}`);
      await assert.rejects(within(socket.opened, "the refusal"), (error) => {
        assert.equal(error.status, 400);
        assert.equal(JSON.parse(error.body).code, code);
        return true;
      });
    });
  }

  test("a page of another origin may ask beforehand", async () => {
    const answer = await request(`${server.url}/engine.io/?EIO=4&transport=polling`, {
      method: "OPTIONS",
      headers: {
        origin: "https://a.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,authorization",
      },
    });
    assert.equal(answer.status, 204);
    assert.equal(answer.headers.get("access-control-allow-origin"), "*");
    assert.match(answer.headers.get("access-control-allow-methods"), /POST/);
    assert.match(answer.headers.get("access-control-allow-headers"), /authorization/);
  });
});

describe("messages", () => {
  test("an echo over polling", async () => {
    const session = await Polling.open(server);
    const post = await session.post("4hello");
    assert.deepEqual([post.status, post.body], [200, "ok"]);
    assert.equal((await session.poll()).body, "4hello");
  });

  test("an echo to a poll that waits", async () => {
    const session = await Polling.open(server);
    const poll = session.poll();
    await session.post("4hello");
    assert.equal((await poll).body, "4hello");
  });

  test("binary as text on a WebSocket: both ways with b64=1, and from the client without it", async (t) => {
    for (const b64 of ["", "&b64=1"]) {
      const socket = new Socket(t, `${server.url.replace("http", "ws")}/engine.io/?EIO=4&transport=websocket${b64}`);
      await socket.take("the open packet");
      socket.send("bAQIDBA==", "b", Buffer.from([5, 6]), "4text");
      const expected = [[1, 2, 3, 4], [], [5, 6]].map((bytes) => Buffer.from(bytes));
      for (const bytes of expected) {
        assert.deepEqual(await socket.take(), b64 ? `b${bytes.toString("base64")}` : bytes);
      }
      assert.equal(await socket.take(), "4text");
      socket.send("b*");
      await socket.end();
    }
  });

  test("binary as text after an upgrade: b64=1 of the WebSocket counts", async (t) => {
    for (const b64 of ["", "&b64=1"]) {
      const session = await Polling.open(server);
      const socket = new Socket(t, session.upgradeUrl + b64);
      await within(socket.opened, "the handshake");
      socket.send("2probe");
      assert.equal(await socket.take(), "3probe");
      await session.post("bAQI="); // its echo waits for the upgrade
      socket.send("5");
      assert.deepEqual(await socket.take(), b64 ? "bAQI=" : Buffer.from([1, 2]));
      socket.send(Buffer.from([3]));
      assert.deepEqual(await socket.take(), b64 ? "bAw==" : Buffer.from([3]));
    }
  });

  test("several packets in one payload, both ways, in their order", async () => {
    const session = await Polling.open(server);
    const payload = ["4one", "4", "4☃ 🎬", "bAQIDBA==", "b", "4last"].join("\x1e");
    assert.equal((await session.post(payload)).body, "ok");
    assert.equal((await session.poll()).body, payload);
  });

  test("binary of every length survives base64, with padding and without", async () => {
    const session = await Polling.open(server);
    for (let size = 0; size < 12; ++size) {
      const base64 = Buffer.from(Array.from({ length: size }, (_, i) => 255 - i * 7)).toString("base64");
      await session.post(`b${base64}`);
      assert.equal((await session.poll()).body, `b${base64}`);
      await session.post(`b${base64.replace(/=+$/, "")}`);
      assert.equal((await session.poll()).body, `b${base64}`);
    }
  });

  test("an echo over a WebSocket, text and binary", async (t) => {
    const socket = await Socket.open(t, server);
    socket.send("4hello", Buffer.from([1, 2, 3, 255]), "4", Buffer.alloc(0));
    assert.equal(await socket.take(), "4hello");
    assert.deepEqual(await socket.take(), Buffer.from([1, 2, 3, 255]));
    assert.equal(await socket.take(), "4");
    assert.deepEqual(await socket.take(), Buffer.alloc(0));
  });

  test("a POST of exactly the limit passes, one byte more is answered with 413", async () => {
    const session = await Polling.open(server);
    const most = "4" + "x".repeat(999_999);
    assert.equal((await session.post(most)).status, 200);
    assert.equal((await session.poll()).body, most);
    const answer = await session.post(most + "x", { origin: "https://a.example" });
    assert.equal(answer.status, 413);
    assert.equal(answer.headers.get("access-control-allow-origin"), "*");
  });

  test("a chunked POST is held to the same limit", async () => {
    const session = await Polling.open(server);
    const chunked = (pieces) =>
      request(session.url, {
        method: "POST",
        duplex: "half",
        body: new ReadableStream({
          start(controller) {
            for (const piece of pieces) controller.enqueue(Buffer.from(piece));
            controller.close();
          },
        }),
      });
    assert.equal((await chunked(["4chu", "nked"])).body, "ok");
    assert.equal((await session.poll()).body, "4chunked");
    assert.equal((await chunked(["4", ...Array.from({ length: 11 }, () => "x".repeat(100_000))])).status, 413);
  });

  for (const type of ["text/plain", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded"]) {
    test(`a POST of type ${type} is taken`, async () => {
      const session = await Polling.open(server);
      assert.equal((await session.post("4☃", { "content-type": type })).status, 200);
      assert.equal((await session.poll()).body, "4☃");
    });
  }

  test("a POST of bytes is refused: version 4 has none", async () => {
    const session = await Polling.open(server);
    const answer = await session.post("4x", { "content-type": "application/octet-stream" });
    assert.equal(answer.status, 400);
    assert.equal(answer.body, kBadRequest);
  });

  for (const [what, payload] of Object.entries({
    "an unknown type": "abc",
    "nothing": "",
    "a separator alone": "\x1e",
    "a good packet and an empty one": "4a\x1e",
    "a good packet and an unknown one": "4a\x1e9",
    "bad base64": "b*",
    "base64 that stops early": "bA",
    "bytes that are no UTF-8": Buffer.from([0x34, 0xff]),
  })) {
    test(`a payload of ${what} is refused, and ends the session with nothing of it done`, async () => {
      const session = await Polling.open(server);
      const answer = await session.post(payload);
      assert.equal(answer.status, 400);
      await assertDead(session);
    });
  }

  for (const message of ["abc", "", "7", "\x1e", "x4hello"]) {
    test(`a WebSocket message ${JSON.stringify(message)} ends the session`, async (t) => {
      const socket = await Socket.open(t, server);
      socket.send(message);
      await socket.end();
      assert.equal(socket.inbox.size, 0);
    });
  }

  for (const method of ["PUT", "PATCH", "DELETE"]) {
    test(`${method} on a session is refused, and hurts nobody`, async () => {
      const session = await Polling.open(server);
      assert.equal((await request(session.url, { method })).status, 400);
      assert.equal((await session.post("4a")).status, 200);
    });
  }

  test("two sessions never hear each other", async (t) => {
    const [one, two] = await Promise.all([Polling.open(server), Polling.open(server)]);
    const three = await Socket.open(t, server);
    await one.post("4one");
    await two.post("4two");
    three.send("4three");
    assert.equal((await one.poll()).body, "4one");
    assert.equal((await two.poll()).body, "4two");
    assert.equal(await three.take(), "4three");
  });
});

describe("closing", () => {
  test("a POST of `1` ends the session; the poll that waits gets `6`", async () => {
    const session = await Polling.open(server);
    const poll = session.poll();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual((await session.post("1")).body, "ok");
    const answer = await poll;
    assert.deepEqual([answer.status, answer.body], [200, "6"]);
    await assertDead(session);
  });

  test("a `1` over a WebSocket ends it", async (t) => {
    const socket = await Socket.open(t, server);
    socket.send("1");
    await socket.end();
  });

  test("nothing behind a `1` is taken", async (t) => {
    const socket = await Socket.open(t, server);
    socket.send("4a", "1", "4b");
    await socket.end();
    assert.equal(await socket.take(), "4a");
    assert.equal(socket.inbox.size, 0);

    const session = await Polling.open(server);
    const answer = await session.post("4a\x1e1\x1e4b");
    assert.equal(answer.status, 200);
    assert.equal((await session.poll()).body, "4a");
    assert.equal((await session.poll()).body, "6");
    await assertDead(session);
  });

  test("a ping of the client, which version 4 does not know, ends the session", async (t) => {
    const socket = await Socket.open(t, server);
    socket.send("2");
    await socket.end();
    const session = await Polling.open(server);
    await session.post("2");
    let last;
    do last = await session.poll();
    while (last.status === 200);
    assert.equal(last.body, kUnknownSession);
  });

  test("a second poll while one waits: `1` for the first, 400 for the second, and the session is dead", async () => {
    const session = await Polling.open(server);
    const polls = [session.poll(), session.poll()];
    const answers = await Promise.all(polls);
    answers.sort((a, b) => a.status - b.status);
    assert.deepEqual([answers[0].status, answers[0].body], [200, "1"]);
    assert.equal(answers[1].status, 400);
    await assertDead(session);
  });
});
