// HTTP/1.1 by raw bytes, as the transports below Engine.IO see it: how requests are cut, and what is refused because
// two readers might understand it differently.
import assert from "node:assert/strict";
import { createConnection } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Inbox, Polling, kCalm, startServer, within } from "./harness.mjs";

let server;
before(async () => (server = await startServer(kCalm)));
after(async () => assert.equal(await server.stop(), 0));

/** A connection of bytes whose answers, {status, headers, body}, come one by one. */
class Connection {
  constructor(test) {
    this.inbox = new Inbox();
    this.tcp = createConnection(server.port, "127.0.0.1");
    this.tcp.setNoDelay(true);
    test.after(() => this.tcp.destroy());
    this.tcp.on("error", () => {});
    this.ended = new Promise((resolve) => {
      this.tcp.once("end", resolve);
      this.tcp.once("close", resolve);
    });
    let bytes = Buffer.alloc(0);
    this.tcp.on("data", (piece) => {
      bytes = Buffer.concat([bytes, piece]);
      for (;;) {
        const end = bytes.indexOf("\r\n\r\n");
        if (end < 0) return;
        const [first, ...fields] = bytes.subarray(0, end).toString().split("\r\n");
        const headers = new Map(fields.map((field) => [field.split(": ")[0].toLowerCase(), field.split(": ")[1]]));
        const length = Number(headers.get("content-length") ?? 0);
        if (bytes.length < end + 4 + length) return;
        const body = bytes.subarray(end + 4, end + 4 + length).toString();
        this.inbox.put({ status: Number(first.split(" ")[1]), headers, body });
        bytes = bytes.subarray(end + 4 + length);
      }
    });
  }
  send(...pieces) {
    this.tcp.write(Buffer.concat(pieces.map((piece) => Buffer.from(piece))));
  }
  async sendSlowly(text) {
    for (const byte of Buffer.from(text)) {
      this.tcp.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  take() {
    return this.inbox.take("an answer");
  }
  /** The answer that must come next, and then the end of the connection. */
  async takeLast(status) {
    const answer = await this.take();
    assert.equal(answer.status, status);
    await within(this.ended, "the end of the connection");
    assert.equal(this.inbox.size, 0, "no second answer");
    return answer;
  }
}

const kOpen = "/engine.io/?EIO=4&transport=polling";
const kHost = "Host: localhost\r\n";
const get = (target = kOpen, fields = "") => `GET ${target} HTTP/1.1\r\n${kHost}${fields}\r\n`;
const post = (session, body, fields = "") =>
  `POST ${session.url.slice(server.url.length)} HTTP/1.1\r\n${kHost}${fields}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

async function assertEcho(session, expected) {
  assert.equal((await session.poll()).body, expected);
}

describe("how bytes are cut", () => {
  test("a request byte by byte", async (t) => {
    const connection = new Connection(t);
    await connection.sendSlowly(get());
    assert.equal((await connection.take()).body[0], "0");
  });

  test("empty lines before a request, in one piece and byte by byte", async (t) => {
    for (const slowly of [false, true]) {
      const connection = new Connection(t);
      const bytes = "\r\n\r\n" + get();
      if (slowly) await connection.sendSlowly(bytes);
      else connection.send(bytes);
      assert.equal((await connection.take()).status, 200);
    }
  });

  test("a POST byte by byte, of known length and chunked", async (t) => {
    const session = await Polling.open(server);
    const connection = new Connection(t);
    await connection.sendSlowly(post(session, "4one"));
    assert.equal((await connection.take()).body, "ok");
    await connection.sendSlowly(
      `POST ${session.url.slice(server.url.length)} HTTP/1.1\r\n${kHost}Transfer-Encoding: chunked\r\n\r\n` +
        '1;a="b"\r\n4\r\n3\r\ntwo\r\n0\r\nX-Trailer: 1\r\n\r\n',
    );
    assert.equal((await connection.take()).body, "ok");
    await assertEcho(session, "4one\x1e4two");
  });

  test("ten requests in one packet are answered in their order", async (t) => {
    const session = await Polling.open(server);
    const connection = new Connection(t);
    connection.send(...Array.from({ length: 10 }, (_, i) => post(session, `4${i}`)));
    for (let i = 0; i < 10; ++i) assert.equal((await connection.take()).body, "ok");
    await assertEcho(session, Array.from({ length: 10 }, (_, i) => `4${i}`).join("\x1e"));
  });

  test("a request behind a poll that waits is answered after it", async (t) => {
    const session = await Polling.open(server);
    const connection = new Connection(t);
    connection.send(get(session.url.slice(server.url.length)), get());
    await sleep(30);
    assert.equal(connection.inbox.size, 0);
    await session.post("4x");
    assert.equal((await connection.take()).body, "4x");
    assert.equal((await connection.take()).body[0], "0");
  });

  test("a client that waits for 100 gets it", async (t) => {
    const session = await Polling.open(server);
    const connection = new Connection(t);
    const [head, body] = post(session, "4late", "Expect: 100-continue\r\n").split("\r\n\r\n");
    connection.send(head, "\r\n\r\n");
    assert.equal((await connection.take()).status, 100);
    connection.send(body);
    assert.equal((await connection.take()).body, "ok");
    await assertEcho(session, "4late");
  });

  test("HTTP/1.0 without and with keep-alive", async (t) => {
    const one = new Connection(t);
    one.send(`GET ${kOpen} HTTP/1.0\r\n\r\n`);
    await one.takeLast(200);
    const two = new Connection(t);
    two.send(`GET ${kOpen} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`);
    assert.match((await two.take()).headers.get("connection"), /keep-alive/i);
    two.send(get());
    assert.equal((await two.take()).status, 200);
  });

  test("an absolute target", async (t) => {
    const connection = new Connection(t);
    for (const scheme of ["http", "HTTP"]) {
      connection.send(get(`${scheme}://localhost${kOpen}`));
      assert.equal((await connection.take()).status, 200);
    }
  });
});

describe("refused, and the connection ended, so that nothing behind is taken for a request", () => {
  const kBody = "4x";
  const withBody = (fields, body = kBody) => (path) => `POST ${path} HTTP/1.1\r\n${kHost}${fields}\r\n${body}`;
  const cases = {
    "two lengths that differ": [400, withBody("Content-Length: 2\r\nContent-Length: 3\r\n")],
    "a list of lengths": [400, withBody("Content-Length: 2, 3\r\n")],
    "a length with a sign": [400, withBody("Content-Length: +2\r\n")],
    "a negative length": [400, withBody("Content-Length: -2\r\n")],
    "a length in hexadecimal": [400, withBody("Content-Length: 0x2\r\n")],
    "a length beyond 64 bits": [400, withBody("Content-Length: 18446744073709551618\r\n")],
    "an empty length": [400, withBody("Content-Length: \r\n")],
    "a length and chunks": [400, withBody("Content-Length: 12\r\nTransfer-Encoding: chunked\r\n", "2\r\n4x\r\n0\r\n\r\n")],
    "chunks and a length": [400, withBody("Transfer-Encoding: chunked\r\nContent-Length: 12\r\n", "2\r\n4x\r\n0\r\n\r\n")],
    "a coding that is not ours": [501, withBody("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")],
    "chunked, but not last": [501, withBody("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n")],
    "chunked twice": [501, withBody("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")],
    "two codings in two fields": [400, withBody("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n")],
    "two fields that both say chunked": [400, withBody("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")],
    "a coding in disguise": [501, withBody("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")],
    "chunks on HTTP/1.0": [400, (path) => `POST ${path} HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    "a blank before a field's colon": [400, withBody("Content-Length : 2\r\n")],
    "a field that is folded": [400, withBody("X-A: b\r\n c\r\nContent-Length: 2\r\n")],
    "a coding that is folded": [400, withBody("Transfer-Encoding:\r\n\tchunked\r\n", "0\r\n\r\n")],
    "a line feed alone behind the first line": [400, (path) => `GET ${path} HTTP/1.1\n${kHost}\r\n`],
    "a line feed alone behind a field": [400, (path) => `GET ${path} HTTP/1.1\r\nX-A: b\n${kHost}\r\n`],
    "a NUL in a field": [400, withBody("X-A: a\0b\r\nContent-Length: 2\r\n")],
    "a carriage return in a field": [400, withBody("X-A: a\rb\r\nContent-Length: 2\r\n")],
    "no Host": [400, (path) => `GET ${path} HTTP/1.1\r\n\r\n`],
    "two Hosts": [400, (path) => `GET ${path} HTTP/1.1\r\n${kHost}Host: other\r\n\r\n`],
    "HTTP/2 in clear text": [505, () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    "HTTP/1.2": [505, (path) => `GET ${path} HTTP/1.2\r\n${kHost}\r\n`],
    "a head over 32 KiB": [431, withBody(`X-A: ${"a".repeat(33_000)}\r\n`)],
    "a head over 32 KiB that never ends": [431, (path) => `GET ${path} HTTP/1.1\r\nX-A: ${"a".repeat(33_000)}`],
    "a line feed alone in a head that does not end": [400, (path) => `GET ${path} HTTP/1.1\r\nX-A: b\n`],
    ...Object.fromEntries(
      ["a b", "a/b", "u@a", "[::1", "a:port", "a, b"].map((host) => [
        `a Host that is none: ${host}`,
        [400, (path) => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`],
      ]),
    ),
    "an absolute target without a host": [400, () => `GET http:///engine.io/ HTTP/1.1\r\n${kHost}\r\n`],
    "an absolute target with a user": [400, () => `GET http://u@localhost/engine.io/ HTTP/1.1\r\n${kHost}\r\n`],
    "more than 100 fields": [431, withBody("X-A: a\r\n".repeat(101))],
    "no HTTP": [400, () => "\x16\x03\x01\x02\x00\x01\x00"],
    "a target without a slash": [400, () => `GET engine.io HTTP/1.1\r\n${kHost}\r\n`],
    "an escape that is none": [400, () => `GET /engine.io/%zz HTTP/1.1\r\n${kHost}\r\n`],
    "a zero byte in the path": [400, () => `GET /engine.io/%00 HTTP/1.1\r\n${kHost}\r\n`],
    "an expectation that is not ours": [417, withBody("Expect: the-best\r\nContent-Length: 2\r\n")],
    "a chunk without a size": [400, withBody("Transfer-Encoding: chunked\r\n", "\r\n4x\r\n0\r\n\r\n")],
    "a chunk's size that is no number": [400, withBody("Transfer-Encoding: chunked\r\n", "g\r\n4x\r\n0\r\n\r\n")],
    "a chunk's size with a sign": [400, withBody("Transfer-Encoding: chunked\r\n", "-2\r\n4x\r\n0\r\n\r\n")],
    "a chunk's size beyond 64 bits": [400, withBody("Transfer-Encoding: chunked\r\n", "10000000000000002\r\n4x\r\n0\r\n\r\n")],
    "a chunk's size ended by a line feed alone": [400, withBody("Transfer-Encoding: chunked\r\n", "2\n4x\r\n0\r\n\r\n")],
    "a chunk that is longer than it says": [400, withBody("Transfer-Encoding: chunked\r\n", "2\r\n4xy\r\n0\r\n\r\n")],
    ...Object.fromEntries(
      ["2 4", "2 ", "2\txyz", "2;", "2;a\0b"].map((line) => [
        `a chunk's line that is none: ${JSON.stringify(line)}`,
        [400, withBody("Transfer-Encoding: chunked\r\n", `${line}\r\n4x\r\n0\r\n\r\n`)],
      ]),
    ),
    ...Object.fromEntries(
      ["not a field", "A : b", "A: \0"].map((line) => [
        `a trailer that is no field: ${JSON.stringify(line)}`,
        [400, withBody("Transfer-Encoding: chunked\r\n", `2\r\n4x\r\n0\r\n${line}\r\n\r\n`)],
      ]),
    ),
    "an extension that hides a line feed": [400, withBody("Transfer-Encoding: chunked\r\n", "2;a\nb\r\n4x\r\n0\r\n\r\n")],
  };
  for (const [what, [status, bytes]] of Object.entries(cases)) {
    test(what, async (t) => {
      const session = await Polling.open(server);
      const connection = new Connection(t);
      connection.send(bytes(session.url.slice(server.url.length)), get());
      await connection.takeLast(status);
      assert.equal((await session.post("4alive")).status, 200);
      await assertEcho(session, "4alive"); // and nothing of the refused body
    });
  }
});

describe("upgrades", () => {
  const shake = (fields) => get("/engine.io/?EIO=4&transport=websocket", fields);
  const kUpgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
  const kVersion = "Sec-WebSocket-Version: 13\r\n";
  const kKey = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  for (const [what, fields] of Object.entries({
    "no key": kUpgrade + kVersion,
    "a short key": kUpgrade + kVersion + "Sec-WebSocket-Key: abc\r\n",
    "a key that is no base64": kUpgrade + kVersion + "Sec-WebSocket-Key: ++*!IHNhbXBsZSBub25jZQ==\r\n",
    "no version": kUpgrade + kKey,
    "version 8": kUpgrade + "Sec-WebSocket-Version: 8\r\n" + kKey,
    "no Connection": "Upgrade: websocket\r\n" + kVersion + kKey,
    "another protocol": "Upgrade: h2c\r\nConnection: Upgrade\r\n" + kVersion + kKey,
    "two keys": kUpgrade + kVersion + kKey + kKey,
    "a body": kUpgrade + kVersion + kKey + "Content-Length: 2\r\n",
  })) {
    test(`refused: ${what}`, async (t) => {
      const connection = new Connection(t);
      connection.send(shake(fields), what === "a body" ? "4x" : "");
      const { status, headers } = await connection.take();
      assert.ok(status === 400 || status === 426, `${status}`);
      if (what === "version 8") assert.equal(headers.get("sec-websocket-version"), "13");
    });
  }

  test("refused: HTTP/1.0", async (t) => {
    const connection = new Connection(t);
    connection.send(shake(kUpgrade + kVersion + kKey).replace("HTTP/1.1", "HTTP/1.0"));
    assert.equal((await connection.take()).status, 400);
  });

  test("a POST for a session that is not there is refused before its body", async (t) => {
    const connection = new Connection(t);
    connection.send(`POST ${kOpen}&sid=AAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\n${kHost}Content-Length: 500000\r\n\r\n4`);
    assert.equal((await connection.take()).status, 400);
  });

  test("fields in any case, among other tokens", async (t) => {
    const connection = new Connection(t);
    connection.send(shake(`upgrade: WebSocket\r\nCONNECTION: keep-alive, upgrade\r\n${kVersion}${kKey}`));
    assert.equal((await connection.take()).status, 101);
  });

  test("extensions and protocols that are offered are not taken", async (t) => {
    const connection = new Connection(t);
    connection.send(
      shake(`${kUpgrade}${kVersion}${kKey}Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: chat\r\n`),
    );
    const { status, headers } = await connection.take();
    assert.equal(status, 101);
    assert.equal(headers.has("sec-websocket-extensions"), false);
    assert.equal(headers.has("sec-websocket-protocol"), false);
  });

  test("a handshake by POST is refused", async (t) => {
    const connection = new Connection(t);
    connection.send(shake(kUpgrade + kVersion + kKey).replace("GET", "POST"));
    assert.equal((await connection.take()).status, 400);
  });

  test("an upgrade to what we do not speak is no obstacle to polling", async (t) => {
    const connection = new Connection(t);
    connection.send(get(kOpen, "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n"));
    const answer = await connection.take();
    assert.equal(answer.status, 200);
    assert.equal(answer.body[0], "0");
  });
});
