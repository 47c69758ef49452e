// Socket.IO on Node, doing what realtime_server does:
//   node --expose-gc sio_server.js --engine ws|uws --port P --secret S
//   GET http://127.0.0.1:P+1/start?users=U&rate=R&secs=S&batch=B    rate: emits a second; 0: as fast as its clients take them
//   GET http://127.0.0.1:P+1/gc                                     collect garbage, so that memory is what is in use
import http from 'node:http';
import { createSecretKey } from 'node:crypto';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import jwt from 'jsonwebtoken';
import { Server } from 'socket.io';

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'ws' },
    port: { type: 'string', default: '3000' },
    secret: { type: 'string', default: 's3cret' },
  },
});
const port = Number(values.port);
const key = createSecretKey(Buffer.from(values.secret)); // from a string each verification would try a public key first

const io = listen(values.engine);
const queue = io.of('/queue');
queue.use((socket, next) => {
  try {
    socket.data.sub = jwt.verify(socket.handshake.auth.token, key, { algorithms: ['HS256'] }).sub;
    next();
  } catch {
    next(new Error('unauthorized'));
  }
});
const connections = new Map(); // of Engine.IO, by socket id: to see how much waits for each
queue.on('connection', (socket) => {
  socket.join(`user:${socket.data.sub}`);
  connections.set(socket.id, socket.conn);
  socket.on('disconnect', () => connections.delete(socket.id));
});

function listen(engine) {
  const options = { serveClient: false, transports: ['websocket'] };
  if (engine === 'uws') {
    const { App } = createRequire(import.meta.url)('@trufflesuite/uws-js-unofficial');
    const app = App();
    const server = new Server(options);
    server.attachApp(app);
    app.listen('127.0.0.1', port, () => console.log('ready'));
    return server;
  }
  const web = http.createServer();
  const server = new Server(web, options);
  web.listen({ port, host: '127.0.0.1', backlog: 4096 }, () => console.log('ready'));
  return server;
}

let sequence = 0;
function emit(user) {
  const progress = sequence++ % 100;
  queue.to(`user:u${user}`).emit('queue-update', {
    jobId: `8f14e45f-ceea-467f-a8d2-${String(user).padStart(12, '0')}`,
    eventType: 'job-progress',
    progress,
    stage: 'transcribing',
    message: `Transcribing audio segment ${progress} of 100`,
    metadata: {
      videoTitle: 'How to build a real-time queue',
      channel: 'UCx5XG1OV2P6uZZ5FSM9Ttw',
      durationSec: 1834,
      etaSec: 96,
    },
    sentAt: Number(process.hrtime.bigint()), // CLOCK_MONOTONIC, in ns
  });
}

/** The most bytes that wait for any of 32 connections, the next 32 at each call. */
let looked = 0;
function worstBacklog(sample) {
  let worst = 0;
  for (let i = 0; i < Math.min(32, sample.length); i++) {
    const connection = sample[(looked = (looked + 1) % sample.length)];
    const socket = connection.transport?.socket;
    const waiting = socket?.getBufferedAmount?.() ?? socket?.bufferedAmount ?? 0;
    worst = Math.max(worst, waiting + (connection.writeBuffer?.length ?? 0) * 300);
  }
  return worst;
}

function run({ users = 1000, rate = 0, secs = 10, batch = 50 }, done) {
  const sample = [...connections.values()];
  const begin = process.hrtime.bigint();
  const passed = () => Number(process.hrtime.bigint() - begin) / 1e9;
  let emits = 0;
  const next = () => emit(emits++ % users);
  if (rate > 0) {
    const timer = setInterval(() => {
      const seconds = passed();
      if (seconds >= secs) {
        clearInterval(timer);
        return done({ emits });
      }
      for (const due = Math.floor(seconds * rate); emits < due; ) next();
    }, 1);
    return;
  }
  const step = () => {
    if (passed() >= secs) return done({ emits });
    if (worstBacklog(sample) > 65536) return setTimeout(step, 1);
    for (let i = 0; i < batch; i++) next();
    setImmediate(step);
  };
  step();
}

http
  .createServer((request, response) => {
    const url = new URL(request.url, 'http://127.0.0.1');
    const answer = (body) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(body));
    };
    if (url.pathname === '/start') {
      return run(Object.fromEntries([...url.searchParams].map(([name, value]) => [name, Number(value)])), answer);
    }
    if (url.pathname === '/gc') {
      globalThis.gc?.();
      globalThis.gc?.();
      return answer({ collected: Boolean(globalThis.gc) });
    }
    response.statusCode = 404;
    response.end();
  })
  .listen(port + 1, '127.0.0.1');
