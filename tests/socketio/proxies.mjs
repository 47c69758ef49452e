// What stands between clients and servers: a wire that breaks, and nginx.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Numbers in [0, 1) that a seed repeats (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

/** A wire to `port` whose connections each break at a moment of their own, until `heal()`: `url`, `cuts`, `stop()`. */
export async function breakingWire(port, next, { longest = 60 } = {}) {
  const open = new Set();
  let broken = true;
  const wire = { cuts: 0 };
  const server = createServer((near) => {
    const far = createConnection(port, "127.0.0.1");
    const pair = { near, far };
    open.add(pair);
    const forget = () => {
      clearTimeout(pair.timer);
      open.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const [from, to] of [[near, far], [far, near]]) {
      from.setNoDelay(true);
      from.on("data", (bytes) => to.write(bytes));
      from.on("end", () => to.end());
      from.on("error", forget);
      from.on("close", forget);
    }
    if (!broken) return;
    pair.timer = setTimeout(() => {
      ++wire.cuts;
      const how = next();
      if (how < 0.1) {
        // Nothing gets through any more, and nobody is told.
        near.removeAllListeners("data").resume();
        far.removeAllListeners("data").resume();
      } else if (how < 0.4) {
        near.resetAndDestroy();
        far.resetAndDestroy();
      } else {
        forget();
      }
    }, next() * longest);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(wire, {
    url: `http://127.0.0.1:${server.address().port}`,
    heal: () => (broken = false),
    stop: async () => {
      server.close();
      for (const { near, far } of open) {
        near.destroy();
        far.destroy();
      }
      await once(server, "close");
    },
  });
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** nginx before `upstream`, with what its and Socket.IO's documentation tell people to write: `url`, `stop()`. */
export async function startNginx(upstream) {
  const folder = await mkdtemp(join(tmpdir(), "rushes-nginx-"));
  await mkdir(join(folder, "temp"));
  const port = await freePort();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  await writeFile(
    join(folder, "nginx.conf"),
    `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr warn;
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/temp/${name};`).join("\n  ")}
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://127.0.0.1:${upstream};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header Host $host:$server_port;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`,
  );
  const path = `${process.env.PATH}:/usr/sbin`;
  const child = spawn("nginx", ["-e", "stderr", "-p", folder, "-c", join(folder, "nginx.conf")], {
    stdio: ["ignore", "inherit", "pipe"],
    env: { ...process.env, PATH: path },
  });
  let complaints = "";
  child.stderr.on("data", (bytes) => (complaints += bytes));
  const ended = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  for (;;) {
    const probe = createConnection(port, "127.0.0.1");
    const outcome = await Promise.race([
      once(probe, "connect").then(() => "up", () => "not yet"),
      ended.then(() => "ended"),
    ]);
    probe.destroy();
    if (outcome === "up") break;
    if (outcome === "ended") throw new Error(`nginx ended: ${complaints}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return {
    url: `http://127.0.0.1:${port}`,
    complaints: () => complaints,
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
