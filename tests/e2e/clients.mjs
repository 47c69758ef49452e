// What talks to the server: REST, uploads as browsers send them, and the unmodified socket.io-client.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { io } from 'socket.io-client';
import { waitFor } from './harness.mjs';

export { io };

const open = new Set();

/** Closes every socket that a test left open. For `after` hooks. */
export function closeSockets() {
  for (const socket of open) socket.disconnect();
  open.clear();
}

/** One request: `{status, headers, body}`, the body parsed where it is JSON. */
export async function rest(server, method, route, { token, json, headers = {}, body } = {}) {
  const answer = await fetch(server.url + route, {
    method,
    headers: {
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
      ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    body: json === undefined ? body : JSON.stringify(json),
  });
  const text = await answer.text();
  const isJson = /json/.test(answer.headers.get('content-type') ?? '');
  return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text };
}

/** The requests of one user: `user.get('/analyze/jobs')`, `user.post(route, json)`. */
export function userOf(server, name, claims) {
  const token = server.token(name, claims);
  const user = {
    name,
    token,
    get: (route, options) => rest(server, 'GET', route, { token, ...options }),
    post: (route, json, options) => rest(server, 'POST', route, { token, json, ...options }),
    patch: (route, json) => rest(server, 'PATCH', route, { token, json }),
    delete: (route) => rest(server, 'DELETE', route, { token }),
    status: async (job) => (await user.get(`/analyze/job/${job}/status`)).body,
    jobs: async () => (await user.get('/analyze/jobs?limit=200')).body.jobs,
    transcript: (transcript, configuration, headers) =>
      user.post('/analyze/transcript', { transcript, configuration }, { headers }),
    video: (url, configuration = {}) => user.post('/analyze/video', { configuration: { url, ...configuration } }),
    upload: (file, options) => upload(server, token, file, options),
    connect: (options) => connect(server, '/queue', { auth: { token }, ...options }),
    notifications: (options) => connect(server, '/notifications', { auth: { token }, ...options }),
    ended: (job, milliseconds = 60_000) =>
      waitFor(
        async () => {
          const status = await user.status(job);
          return ['completed', 'failed', 'cancelled'].includes(status.status) ? status : null;
        },
        `the end of job ${job}`,
        milliseconds,
      ),
  };
  return user;
}

/** Sends `file` (a path, or bytes with `fileName`) as the form that a browser would send. */
export function upload(server, token, file, { fileName, configuration, headers } = {}) {
  const form = new FormData();
  const bytes = typeof file === 'string' ? fs.readFileSync(file) : file;
  if (configuration !== undefined) {
    form.append('configuration', typeof configuration === 'string' ? configuration : JSON.stringify(configuration));
  }
  form.append('video', new Blob([bytes]), fileName ?? path.basename(file));
  return rest(server, 'POST', '/analyze/upload', { token, body: form, headers });
}

/** A request whose body is written piece by piece: resolves with the answer, also when it comes early. */
export function send(server, { method = 'POST', route, headers, pieces }) {
  return new Promise((resolve, reject) => {
    const request = http.request(server.url + route, { method, headers });
    let answered = false;
    request.on('response', (response) => {
      answered = true;
      let text = '';
      response.setEncoding('utf8').on('data', (part) => (text += part));
      response.on('end', () => {
        request.destroy();
        resolve({ status: response.statusCode, headers: response.headers, text });
      });
    });
    // A server that has answered may close before it has read everything.
    request.on('error', (error) => answered || reject(error));
    const write = async () => {
      for await (const piece of pieces) {
        if (answered || request.destroyed) return;
        if (request.write(piece)) continue;
        await new Promise((go) => {
          const goOn = () => {
            for (const event of ['drain', 'close', 'error', 'response']) request.off(event, goOn);
            go();
          };
          for (const event of ['drain', 'close', 'error', 'response']) request.on(event, goOn);
        });
      }
      request.end();
    };
    write().catch(reject);
  });
}

/** A socket of the unmodified client that keeps all that reaches it, in order, as `{event, args}`. */
export function connect(server, namespace, options = {}) {
  const socket = io(server.url + namespace, { forceNew: true, reconnection: false, ...options });
  open.add(socket);
  const seen = [];
  const note = (event, ...args) => seen.push({ event, args });
  socket.onAny(note);
  socket.on('connect', () => note('connect'));
  socket.on('connect_error', (error) => note('connect_error', error));
  socket.on('disconnect', (reason) => note('disconnect', reason));
  const client = {
    socket,
    seen,
    of: (event) => seen.filter((one) => one.event === event).map((one) => one.args[0]),
    next: (event, milliseconds) =>
      waitFor(() => seen.find((one) => one.event === event), `event ${event} on ${namespace}`, milliseconds).then(
        (one) => one.args[0],
      ),
    /** Resolves once connected, fails at once when refused. */
    async ready() {
      const first = await waitFor(
        () => seen.find((one) => one.event === 'connect' || one.event === 'connect_error'),
        `the connection to ${namespace}`,
      );
      assert.equal(first.event, 'connect', `connect_error: ${first.args[0]?.message}`);
      return client;
    },
    ask: (event, ...args) => socket.timeout(5000).emitWithAck(event, ...args),
    /** The updates of one job so far. */
    updates: (job) => client.of('queue-update').filter((update) => update.jobId === job),
    /** All the updates of `job`, once one of its kind has come; by default once it has ended. */
    async until(job, kinds = ['job-completed', 'job-failed', 'job-cancelled'], milliseconds = 60_000) {
      const wanted = [kinds].flat();
      await waitFor(
        () => client.updates(job).some((update) => wanted.includes(update.eventType)),
        () => {
          const told = client.updates(job).map((update) => `${update.progress} ${update.eventType} ${update.message}`);
          return `${wanted.join(' or ')} of job ${job}; told so far:\n${told.join('\n')}`;
        },
        milliseconds,
      );
      return client.updates(job);
    },
    close() {
      socket.disconnect();
      open.delete(socket);
    },
  };
  return client;
}
