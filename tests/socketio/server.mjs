// Starts the example server under test and the real client against it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const binary =
  process.env.RUSHES_CONFORMANCE_SERVER ??
  fileURLToPath(new URL("../../build/release/bin/conformance_server", import.meta.url));

/** A running server: `url`, `port`, `stop()`, `kill(signal)`. */
export async function startServer({ port = 0, args = [] } = {}) {
  const child = spawn(binary, ["--port", String(port), ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([
    once(lines, "line"),
    once(child, "exit").then(([code]) => {
      throw new Error(`the server ended with ${code} before it listened`);
    }),
  ]);
  const listening = Number(/port (\d+)/.exec(line)[1]);
  const exited = once(child, "exit");
  return {
    port: listening,
    url: `http://127.0.0.1:${listening}`,
    kill: (signal) => child.kill(signal),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      const [code, signal] = await exited;
      return code ?? signal;
    },
  };
}

/** A client that a test owns: it is closed when the test ends, however that is. */
export function connect(test, url, options = {}) {
  const socket = io(url, { forceNew: true, reconnection: false, ...options });
  test.after(() => socket.disconnect());
  return socket;
}

/** The arguments of the next `event`; an Error instead of waiting for ever. */
export function next(emitter, event, within = 5000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no "${event}" within ${within} ms`)), within);
    emitter.once(event, (...args) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
}
