// What the conformance tests share: sessions over polling and over `ws`, as a protocol sees them, not as a client does.
import { WebSocket } from "ws";
export { startServer } from "../socketio/server.mjs";

/** Options for a server whose heartbeats no short test meets. */
export const kCalm = { args: ["--ping-interval", "20000", "--ping-timeout", "20000"] };

const kPatience = 5000;

/** `promise`, or an Error that names `what` once patience is at its end. */
export function within(promise, what, patience = kPatience) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${patience} ms`)), patience);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Things that arrive, for those who wait for them. */
export class Inbox {
  #waiting = [];
  #arrived = [];
  put(thing) {
    const taker = this.#waiting.shift();
    if (taker) taker(thing);
    else this.#arrived.push(thing);
  }
  take(what = "a message", patience = kPatience) {
    if (this.#arrived.length > 0) return Promise.resolve(this.#arrived.shift());
    return within(new Promise((resolve) => this.#waiting.push(resolve)), what, patience);
  }
  get size() {
    return this.#arrived.length;
  }
}

/** One HTTP answer: {status, headers, body}. */
export async function request(url, options = {}) {
  const answer = await within(fetch(url, options), `${options.method ?? "GET"} ${url}`);
  return { status: answer.status, headers: answer.headers, body: await answer.text() };
}

/** An Engine.IO session over long-polling. */
export class Polling {
  static async open(server, path = "/engine.io/") {
    const session = new Polling();
    const answer = await request(`${server.url}${path}?EIO=4&transport=polling`);
    session.handshake = JSON.parse(answer.body.slice(1));
    session.sid = session.handshake.sid;
    session.url = `${server.url}${path}?EIO=4&transport=polling&sid=${session.sid}`;
    session.upgradeUrl = `${server.url.replace("http", "ws")}${path}?EIO=4&transport=websocket&sid=${session.sid}`;
    return session;
  }
  poll(options) {
    return request(this.url, options);
  }
  post(body, headers = {}) {
    return request(this.url, { method: "POST", body, headers });
  }
  /** Polls until `packets` have come; the Socket.IO tests look at packets, not at payloads. */
  async take(packets) {
    const got = [];
    while (got.length < packets) got.push(...(await this.poll()).body.split("\x1e"));
    return got;
  }
}

/** A WebSocket by `ws`: `take()` gives what comes in, `closed` the close code. */
export class Socket {
  constructor(test, url, options) {
    const inbox = (this.inbox = new Inbox());
    this.raw = new WebSocket(url, options);
    test.after(() => this.raw.terminate());
    this.raw.on("error", () => {});
    this.raw.on("message", (bytes, binary) => inbox.put(binary ? bytes : bytes.toString()));
    this.opened = new Promise((resolve, reject) => {
      this.raw.once("open", resolve);
      this.raw.once("unexpected-response", (_, answer) => {
        let body = "";
        answer.on("data", (bytes) => (body += bytes));
        answer.on("end", () => {
          reject(Object.assign(new Error(`status ${answer.statusCode}`), { status: answer.statusCode, body }));
          this.raw.terminate();
        });
      });
    });
    this.closed = new Promise((resolve) => this.raw.once("close", resolve));
  }
  static async open(test, server, path = "/engine.io/") {
    const socket = new Socket(test, `${server.url.replace("http", "ws")}${path}?EIO=4&transport=websocket`);
    await within(socket.opened, "the WebSocket's handshake");
    socket.handshake = JSON.parse((await socket.take("the open packet")).slice(1));
    return socket;
  }
  take(what, patience) {
    return this.inbox.take(what, patience);
  }
  send(...messages) {
    for (const message of messages) this.raw.send(message);
  }
  /** The close code. */
  end(what = "the end of the WebSocket", patience) {
    return within(this.closed, what, patience);
  }
}

/** A Socket.IO connection that has joined `namespace`, the greeting of its handler taken. */
export async function joined(test, server, namespace = "/") {
  const socket = await Socket.open(test, server, "/socket.io/");
  socket.send(namespace === "/" ? "40" : `40${namespace},`);
  socket.connectAnswer = await socket.take("the answer to CONNECT");
  await socket.take("the event `auth`");
  return socket;
}
