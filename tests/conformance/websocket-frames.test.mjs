// RFC 6455, frame by frame, against the Engine.IO echo: a text `4…` and a binary message come back as they went.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { RawPeer, binary, close, frame, kBinary, kPing, kPong, kText, more, ping, pong, text } from "./frames.mjs";
import { kCalm, startServer, within } from "./harness.mjs";

let server;
before(async () => (server = await startServer(kCalm)));
after(async () => assert.equal(await server.stop(), 0));

const fin = false; // shorthand: `{ fin }` is a frame that is not the last
const open = (t, options) => RawPeer.open(t, server, options);

async function assertText(peer, expected) {
  const got = await peer.take(`the text ${expected.slice(0, 40)}`);
  assert.equal(got.opcode, kText);
  assert.equal(got.fin, true);
  assert.equal(got.payload.toString(), expected);
}

async function assertBinary(peer, expected) {
  const got = await peer.take(`a binary message of ${expected.length} bytes`);
  assert.equal(got.opcode, kBinary);
  assert.ok(got.payload.equals(expected), `${got.payload.length} bytes came back, or others`);
}

/** It still echoes, so nothing before has hurt it, and nothing else had been said. */
async function assertAlive(peer) {
  peer.send(text("4still here"));
  await assertText(peer, "4still here");
}

/** The close code comes next, and then the end of the connection, by the server, without our answer. */
async function assertFails(peer, code) {
  assert.equal(await peer.takeClose(), code);
  await within(peer.ended, "the end of the connection");
}

test("the handshake's answer", async (t) => {
  const peer = await open(t);
  const [status, ...fields] = peer.head.split("\r\n");
  assert.match(status, /^HTTP\/1\.1 101 /);
  const named = new Map(fields.map((field) => [field.split(": ")[0].toLowerCase(), field.split(": ")[1]]));
  assert.equal(named.get("upgrade").toLowerCase(), "websocket");
  assert.equal(named.get("connection").toLowerCase(), "upgrade");
  assert.equal(named.get("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  assert.equal(named.has("sec-websocket-extensions"), false);
  assert.equal(named.has("sec-websocket-protocol"), false);
});

test("frames that come in one packet with the handshake", async (t) => {
  const peer = await open(t, { behind: Buffer.concat([text("4a"), ping("p"), text("4b")]) });
  await assertText(peer, "4a");
  assert.equal((await peer.take()).opcode, kPong);
  await assertText(peer, "4b");
});

for (const length of [0, 1, 125, 126, 127, 128, 65_535, 65_536, 65_537, 1_000_000]) {
  test(`a binary message of ${length} bytes`, async (t) => {
    const peer = await open(t);
    const bytes = Buffer.alloc(length, "0123456789abcdefg");
    peer.send(binary(bytes));
    await assertBinary(peer, bytes);
    await assertAlive(peer);
  });
}

for (const length of [1, 125, 126, 127, 65_535, 65_536, 1_000_000]) {
  test(`a text of ${length} bytes`, async (t) => {
    const peer = await open(t);
    const words = "4" + "x".repeat(length - 1);
    peer.send(text(words));
    await assertText(peer, words);
  });
}

test("a mask of zeroes, one of ones, and another in every frame", async (t) => {
  const peer = await open(t);
  for (const mask of [[0, 0, 0, 0], [255, 255, 255, 255], [1, 2, 3, 4], [0x34, 0x34, 0x34, 0x34]]) {
    peer.send(text("4masked ☃", { mask: Buffer.from(mask) }));
    await assertText(peer, "4masked ☃");
  }
});

test("every size around a word, unmasked right", async (t) => {
  const peer = await open(t);
  for (let size = 0; size <= 40; ++size) {
    const bytes = Buffer.from(Array.from({ length: size }, (_, i) => (i * 37) & 255));
    peer.send(binary(bytes));
    await assertBinary(peer, bytes);
  }
});

// Sequences that end in an echo.
const whole = {
  "a text in two fragments": [[text("4he", { fin }), more("llo")], "4hello"],
  "a text in many fragments": [
    [text("4", { fin }), ...Array.from("fragmented", (c) => more(c, { fin })), more("!")],
    "4fragmented!",
  ],
  "empty fragments at the start, between and at the end": [
    [text("", { fin }), more("", { fin }), more("4x", { fin }), more("", { fin }), more("")],
    "4x",
  ],
  "a ping between fragments": [[text("4a", { fin }), ping("in between"), more("b")], "4ab", "in between"],
  "two pings between fragments": [[text("4a", { fin }), ping("1"), more("b", { fin }), ping("2"), more("c")], "4abc", "1", "2"],
  "a pong that nobody asked for, between fragments": [[text("4a", { fin }), pong("unasked"), more("b")], "4ab"],
  "a character split over fragments": [
    [text(Buffer.from([0x34, 0xf0]), { fin }), more(Buffer.from([0x9f]), { fin }), more(Buffer.from([0x8e, 0xac]))],
    "4🎬",
  ],
  "a character split over fragments with a ping in it": [
    [text(Buffer.from([0x34, 0xe2, 0x98]), { fin }), ping("p"), more(Buffer.from([0x83]))],
    "4☃",
    "p",
  ],
  "the edges of UTF-8": [[text("4\u0000\u007f\u0080\u07ff\u0800\ud7ff\ue000\ufffd\uffff\u{10000}\u{10ffff}")],
    "4\u0000\u007f\u0080\u07ff\u0800\ud7ff\ue000\ufffd\uffff\u{10000}\u{10ffff}"],
};
for (const [what, [frames, expected, ...pongs]] of Object.entries(whole)) {
  for (const [how, send] of [
    ["at once", (peer) => peer.send(...frames)],
    ["a frame a packet", async (peer) => {
      for (const one of frames) {
        peer.send(one);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }],
    ["byte by byte", (peer) => peer.sendSlowly(...frames)],
  ]) {
    test(`${what}, ${how}`, async (t) => {
      const peer = await open(t);
      await send(peer);
      for (const payload of pongs) {
        const got = await peer.take("a pong");
        assert.equal(got.opcode, kPong);
        assert.equal(got.payload.toString(), payload);
      }
      await assertText(peer, expected);
      await assertAlive(peer);
    });
  }
}

test("binary fragments may hold what is no UTF-8", async (t) => {
  const peer = await open(t);
  peer.send(binary(Buffer.from([0xff, 0xc0]), { fin }), more(Buffer.from([0x80, 0xfe])));
  await assertBinary(peer, Buffer.from([0xff, 0xc0, 0x80, 0xfe]));
});

test("a thousand frames in one packet are answered in their order", async (t) => {
  const peer = await open(t);
  peer.send(...Array.from({ length: 1000 }, (_, i) => text(`4${i}`)));
  for (let i = 0; i < 1000; ++i) await assertText(peer, `4${i}`);
});

test("cut at each of its bytes, a sequence means the same", async (t) => {
  const peer = await open(t);
  const bytes = Buffer.concat([text("4a☃", { fin }), ping("p"), more("b"), binary(Buffer.alloc(130, 7))]);
  for (let border = 1; border < bytes.length; border += border < 60 || border > 150 ? 1 : 20) {
    peer.send(bytes.subarray(0, border));
    await new Promise((resolve) => setImmediate(resolve));
    peer.send(bytes.subarray(border));
    assert.equal((await peer.take()).opcode, kPong);
    await assertText(peer, "4a☃b");
    await assertBinary(peer, Buffer.alloc(130, 7));
  }
});

for (const size of [0, 1, 124, 125]) {
  test(`a ping of ${size} bytes is answered with the same`, async (t) => {
    const peer = await open(t);
    const payload = Buffer.alloc(size, 0xfe);
    peer.send(ping(payload));
    const got = await peer.take("a pong");
    assert.equal(got.opcode, kPong);
    assert.ok(got.payload.equals(payload));
    await assertAlive(peer);
  });
}

test("ten pings are answered in their order; pongs that nobody asked for are not", async (t) => {
  const peer = await open(t);
  peer.send(pong(""), pong("unasked"), ...Array.from({ length: 10 }, (_, i) => ping(`${i}`)));
  for (let i = 0; i < 10; ++i) assert.equal((await peer.take()).payload.toString(), `${i}`);
  await assertAlive(peer);
});

const utf8 = (...bytes) => Buffer.from([0x34, ...bytes]);
const failing = {
  1002: {
    "reserved bit 1": [text("4x", { reserved: 4 })],
    "reserved bit 2": [text("4x", { reserved: 2 })],
    "reserved bit 3": [text("4x", { reserved: 1 })],
    "all reserved bits": [binary("x", { reserved: 7 })],
    "a reserved bit on a ping": [ping("x", { reserved: 4 })],
    "a reserved bit on a continuation": [text("4a", { fin }), more("b", { reserved: 4 })],
    ...Object.fromEntries(
      [0x3, 0x4, 0x5, 0x6, 0x7, 0xb, 0xc, 0xd, 0xe, 0xf].map((opcode) => [`reserved opcode ${opcode}`, [frame(opcode, "")]]),
    ),
    "an unmasked text": [text("4x", { masked: false })],
    "an unmasked ping": [ping("x", { masked: false })],
    "an unmasked empty binary": [binary("", { masked: false })],
    "a continuation of nothing": [more("x")],
    "a continuation of nothing that goes on": [more("x", { fin })],
    "a new text within a fragmented one": [text("4a", { fin }), text("4b")],
    "a new binary within a fragmented text": [text("4a", { fin }), binary("b")],
    "a new fragmented text within a fragmented one": [text("4a", { fin }), text("4b", { fin })],
    "a ping over 125 bytes": [ping(Buffer.alloc(126))],
    "a pong over 125 bytes": [pong(Buffer.alloc(126))],
    "a close frame over 125 bytes": [close(1000, "x".repeat(124))],
    "a fragmented ping": [ping("x", { fin })],
    "a fragmented pong": [pong("x", { fin })],
    "a fragmented close frame": [frame(0x8, "", { fin })],
    "a close frame of one byte": [frame(0x8, "\x03")],
    "a length of 125 in two bytes": [binary(Buffer.alloc(125), { lengthBytes: 2 })],
    "a length of 0 in two bytes": [binary("", { lengthBytes: 2 })],
    "a length of 125 in eight bytes": [binary(Buffer.alloc(125), { lengthBytes: 8 })],
    "a length of 65535 in eight bytes": [binary(Buffer.alloc(65_535), { lengthBytes: 8 })],
    "a ping whose length is in two bytes": [ping("abc", { lengthBytes: 2 })],
    "a length with its highest bit": [binary("", { lengthBytes: 8, declared: 1n << 63n })],
  },
  1007: {
    "0xff in a text": [text(utf8(0xff))],
    "an overlong slash": [text(utf8(0xc0, 0xaf))],
    "an overlong NUL of three bytes": [text(utf8(0xe0, 0x80, 0x80))],
    "a surrogate": [text(utf8(0xed, 0xa0, 0x80))],
    "a pair of surrogates": [text(utf8(0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80))],
    "what lies behind U+10FFFF": [text(utf8(0xf4, 0x90, 0x80, 0x80))],
    "a character of five bytes": [text(utf8(0xf8, 0x88, 0x80, 0x80, 0x80))],
    "a continuation byte alone": [text(utf8(0x80))],
    "a character that the text's end cuts": [text(utf8(0xe2, 0x98))],
    "a character that the last fragment cuts": [text(utf8(0xe2), { fin }), more(Buffer.from([0x98]))],
    "a character that the next fragment breaks": [text(utf8(0xe2), { fin }), more("x")],
    "a bad byte in a first fragment, before its end": [text(utf8(0xff), { fin })],
    "a bad byte in a frame whose end never comes": [text(utf8(0xff), { declared: 1000 })],
    "a close reason that is no UTF-8": [close(1000, Buffer.from([0xff, 0xfe]))],
  },
  1009: {
    "a message of 1,000,001 bytes": [binary("", { declared: 1_000_001 })],
    "a text of 1,000,001 bytes": [text("4", { declared: 1_000_001 })],
    "a length beyond all memory": [binary("", { declared: (1n << 63n) - 1n })],
    "a length that would overflow with the fragment before": [binary("x", { fin }), more("", { declared: (1n << 63n) - 1n })],
    "fragments of 1,000,001 bytes together": [binary(Buffer.alloc(600_000), { fin }), more("", { declared: 400_001 })],
  },
  1008: {
    "more fragments than anybody needs": [binary("", { fin }), ...Array.from({ length: 1100 }, () => more("", { fin }))],
  },
};
for (const [code, cases] of Object.entries(failing)) {
  for (const [what, frames] of Object.entries(cases)) {
    test(`${code}: ${what}`, async (t) => {
      const peer = await open(t);
      peer.send(...frames);
      await assertFails(peer, Number(code));
    });
    if (Buffer.concat(frames).length < 200) {
      test(`${code}: ${what}, byte by byte`, async (t) => {
        const peer = await open(t);
        await peer.sendSlowly(...frames);
        await assertFails(peer, Number(code));
      });
    }
  }
}

test("what was sent before a broken frame is answered first, what comes behind it not at all", async (t) => {
  const peer = await open(t);
  peer.send(text("4before"), text("4x", { reserved: 4 }), text("4behind"));
  await assertText(peer, "4before");
  await assertFails(peer, 1002);
});

for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]) {
  test(`close with ${code} is answered with the same code`, async (t) => {
    const peer = await open(t);
    peer.send(close(code, "bye ☃"));
    await assertFails(peer, code);
    assert.equal(peer.reset, false);
  });
}

for (const code of [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]) {
  test(`close with ${code}, which may not be sent, is a protocol error`, async (t) => {
    const peer = await open(t);
    peer.send(close(code));
    await assertFails(peer, 1002);
  });
}

test("close without a code", async (t) => {
  const peer = await open(t);
  peer.send(close());
  assert.ok([1000, 1005].includes(await peer.takeClose()));
  await within(peer.ended, "the end of the connection");
});

test("close with the longest reason", async (t) => {
  const peer = await open(t);
  peer.send(close(1000, "r".repeat(123)));
  await assertFails(peer, 1000);
});

test("close within a fragmented message", async (t) => {
  const peer = await open(t);
  peer.send(text("4a", { fin }), close(1000));
  await assertFails(peer, 1000);
});

test("nothing behind a close is answered: no message, no ping, no second close", async (t) => {
  const peer = await open(t);
  peer.send(close(1000), text("4x"), ping("p"), close(1001));
  await assertFails(peer, 1000);
  assert.equal(peer.inbox.size, 0);
});

test("an echo that was asked for before the close comes before it", async (t) => {
  const peer = await open(t);
  const big = Buffer.alloc(300_000, "z");
  peer.send(binary(big), close(1000));
  await assertBinary(peer, big);
  await assertFails(peer, 1000);
});

test("a connection that just ends, in the middle of a frame or of a message, leaves the server unharmed", async (t) => {
  for (const bytes of [text("4x", { declared: 100 }), text("4x", { fin }), Buffer.from([0x81]), Buffer.from([0x81, 0xfe, 0])]) {
    const peer = await open(t);
    peer.send(bytes);
    peer.tcp.end();
    await within(peer.ended, "the end of the connection");
  }
  await assertAlive(await open(t));
});

test("a pong of the server is never more than was asked, however many pings wait", async (t) => {
  const peer = await open(t);
  peer.send(frame(kPing, "last"));
  assert.equal((await peer.take()).payload.toString(), "last");
  await assertAlive(peer);
});
