// A front end written against the user documentation, with the client's options as they are by default.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import io from 'socket.io-client';
import { userOf } from './clients.mjs';
import { startServer, waitFor } from './harness.mjs';
import { media } from './media.mjs';
import { talk } from './texts.mjs';

let server;
const sockets = [];
before(async () => {
  await media();
  server = await startServer();
});
after(async () => {
  for (const socket of sockets) socket.disconnect();
  await server?.dispose();
});

function connected(token) {
  const socket = io(`${server.url}/queue`, { auth: { token } });
  sockets.push(socket);
  return socket;
}

/** What the documentation's React and Vue components do with the updates; each state that they would draw. */
function progressComponent(socket, jobId) {
  const drawn = [{ jobId, progress: 0, stage: 'queued', message: 'Waiting to start...', status: 'queued' }];
  socket.on('queue-update', (update) => {
    if (update.jobId !== jobId()) return;
    drawn.push({
      jobId: update.jobId,
      progress: update.progress || 0,
      stage: update.stage || '',
      message: update.message || '',
      status: update.eventType.replace('job-', ''),
    });
  });
  return drawn;
}

test('the documentation\'s progress component draws a job from beginning to end', async () => {
  const user = userOf(server, 'react');
  const socket = connected(user.token);
  let jobId;
  const drawn = progressComponent(socket, () => jobId);
  await waitFor(() => socket.connected, 'the connection');
  const { film } = await media();
  jobId = (await user.upload(film)).body.jobId;
  await waitFor(() => ['completed', 'failed'].includes(drawn.at(-1).status), 'the last state', 60_000);
  assert.deepEqual(drawn.at(-1), { jobId, progress: 100, stage: 'completed', message: 'Job completed successfully', status: 'completed' });
  const widths = drawn.map((state) => state.progress);
  assert.ok(widths.every((width, i) => i === 0 || width >= widths[i - 1]), `the bar never goes back: ${widths}`);
  assert.ok(drawn.every((state) => state.stage && state.message));
});

test('the documentation\'s basic listener finds in each update what it prints', async () => {
  const user = userOf(server, 'basic');
  const socket = connected(user.token);
  const printed = [];
  socket.on('queue-update', (update) => {
    printed.push(`Job ${update.jobId}: ${update.message}`, `Progress: ${update.progress}%`, `Stage: ${update.stage}`);
    switch (update.eventType) {
      case 'job-completed':
        printed.push(`Results: ${Object.keys(update.result)}`);
        break;
      case 'job-failed':
        printed.push(`Error: ${update.error}`);
        break;
    }
  });
  await waitFor(() => socket.connected, 'the connection');
  await user.transcript(talk);
  await waitFor(() => printed.some((line) => line.startsWith('Results: video,analysis')), 'the results');
  await user.upload(Buffer.from(talk), { fileName: 'talk.mp4' });
  await waitFor(() => printed.some((line) => /^Error: The file is not a video/.test(line)), 'the error');
  assert.ok(!printed.some((line) => /undefined|null|NaN/.test(line)), printed.join('\n'));
});

test('the connection comes back by itself after the server was away, and goes on telling', async () => {
  const user = userOf(server, 'returning');
  const socket = connected(user.token);
  const updates = [];
  socket.on('queue-update', (update) => updates.push(update));
  await waitFor(() => socket.connected, 'the connection');
  await server.stop();
  await waitFor(() => !socket.connected, 'the disconnect');
  assert.equal(socket.active, true, 'a stop of the server is no reason for the client to give up');
  await server.start(server.port);
  await waitFor(() => socket.connected, 'the connection', 20_000);
  const { jobId } = (await user.transcript(talk)).body;
  await waitFor(() => updates.some((update) => update.jobId === jobId && update.eventType === 'job-completed'), 'job-completed');
});
