// /notifications: what is stored, counted, sent on connect and marked as read.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { closeSockets, userOf } from './clients.mjs';
import { checkProblem } from './contract.mjs';
import { startServer, waitFor } from './harness.mjs';
import { talk } from './texts.mjs';

let server;
let admin;
before(async () => {
  server = await startServer();
  admin = userOf(server, 'root', { role: 'admin' });
});
after(async () => {
  closeSockets();
  await server?.dispose();
});

const tell = (user, title) => admin.post('/notifications', { userId: user.name, title, message: 'Read me.', type: 'tip', severity: 'info' });
const lastCount = (client) => client.of('unread-count').at(-1)?.count;
const countIs = (client, count) => waitFor(() => lastCount(client) === count, () => `the unread-count ${count}; it is ${lastCount(client)}`);

test('on connect: the unread count, then the unread notifications, newest first', async () => {
  const alice = userOf(server, 'alice');
  for (const title of ['First', 'Second', 'Third']) assert.equal((await tell(alice, title)).status, 201);
  const client = await alice.notifications().ready();
  assert.deepEqual(await client.next('unread-count'), { count: 3 });
  const initial = await client.next('initial-notifications');
  assert.equal(initial.count, 3);
  assert.deepEqual(initial.notifications.map((one) => one.title), ['Third', 'Second', 'First']);
  for (const one of initial.notifications) {
    assert.ok(one.id && !Number.isNaN(Date.parse(one.createdAt)));
    assert.deepEqual([one.userId, one.type, one.severity, one.read], ['alice', 'tip', 'info', false]);
  }
  const order = client.seen.map((one) => one.event).filter((event) => event !== 'connect');
  assert.deepEqual(order, ['unread-count', 'initial-notifications']);
});

test('a job tells its user when it starts and when it is done, with a button to the result', async () => {
  const bert = userOf(server, 'bert');
  const [client, other] = await Promise.all([bert.notifications().ready(), userOf(server, 'not-bert').notifications().ready()]);
  await client.next('initial-notifications');
  const { jobId } = (await bert.transcript(talk, { title: 'An oak bookshelf' })).body;
  await waitFor(() => client.of('new-notification').length === 2, 'two notifications');
  await countIs(client, 2);
  const [started, finished] = client.of('new-notification');
  assert.deepEqual([started.type, finished.type], ['processing', 'processing']);
  assert.deepEqual([started.severity, finished.severity], ['info', 'success']);
  assert.equal(finished.actionButtonText, 'View Results');
  assert.ok(finished.actionUrl);
  assert.match(finished.message, /An oak bookshelf/);
  assert.equal(finished.metadata.jobId, jobId);
  // Each is followed by the count that it makes.
  const events = client.seen.slice(client.seen.findIndex((one) => one.event === 'new-notification')).map((one) => one.event);
  assert.deepEqual(events, ['new-notification', 'unread-count', 'new-notification', 'unread-count']);
  assert.deepEqual(other.of('new-notification'), []);
  const stored = (await bert.get('/notifications')).body;
  assert.deepEqual(stored.notifications, [finished, started], 'what was sent is what is kept');
  assert.deepEqual([stored.total, stored.unreadCount], [2, 2]);
});

test('a job that fails, is cancelled or restarted tells so too', async () => {
  const carol = userOf(server, 'carol');
  const client = await carol.notifications().ready();
  const { jobId } = (await carol.upload(Buffer.from(talk), { fileName: 'talk.mp4' })).body;
  await carol.ended(jobId);
  const failed = await waitFor(() => client.of('new-notification').find((one) => one.severity === 'error'), 'the failure');
  assert.match(failed.message, /talk/);
  assert.equal(failed.metadata.errorCode, 'MEDIA_UNREADABLE');
  await carol.post(`/analyze/job/${jobId}/restart`);
  await waitFor(() => client.of('new-notification').some((one) => /restarted/i.test(one.title)), 'the restart');
});

test('mark-as-read reaches all the user\'s sockets, and holds', async () => {
  const dora = userOf(server, 'dora');
  const { id } = (await tell(dora, 'One')).body;
  await tell(dora, 'Two');
  const [phone, laptop] = await Promise.all([dora.notifications().ready(), dora.notifications().ready()]);
  for (const client of [phone, laptop]) await countIs(client, 2);
  assert.equal((await phone.ask('mark-as-read', { notificationId: id })).success, true);
  for (const client of [phone, laptop]) {
    assert.deepEqual(await client.next('marked-as-read'), { notificationId: id });
    await countIs(client, 1);
  }
  const late = await dora.notifications().ready();
  assert.deepEqual((await late.next('initial-notifications')).notifications.map((one) => one.title), ['Two']);
  assert.equal((await phone.ask('mark-all-as-read')).success, true);
  for (const client of [phone, laptop, late]) {
    assert.deepEqual(await client.next('all-marked-as-read'), {});
    await countIs(client, 0);
  }
  assert.equal((await dora.get('/notifications?read=false')).body.total, 0);
  assert.equal((await dora.get('/notifications?read=true')).body.total, 2);
});

test('without an acknowledgement the events alone answer, as in the contract\'s table', async () => {
  const emil = userOf(server, 'emil');
  const { id } = (await tell(emil, 'One')).body;
  const client = await emil.notifications().ready();
  await client.next('initial-notifications');
  client.socket.emit('subscribe-notifications');
  await waitFor(() => client.of('unread-count').length === 2, 'the answer to subscribe-notifications');
  client.socket.emit('get-notifications', { limit: 10 });
  const list = await client.next('notifications-list');
  assert.deepEqual(Object.keys(list).sort(), ['notifications', 'total']);
  assert.deepEqual([list.total, list.notifications[0].id], [1, id]);
  client.socket.emit('mark-as-read', { notificationId: id });
  await client.next('marked-as-read');
  client.socket.emit('mark-as-read', {});
  const complaint = await client.next('exception');
  assert.equal(complaint.success, false);
  assert.match(complaint.error, /notificationId/);
});

test('get-notifications gives pages, by type and by read', async () => {
  const frida = userOf(server, 'frida');
  for (let i = 0; i < 5; ++i) await tell(frida, `Tip ${i}`);
  await admin.post('/notifications', { userId: 'frida', title: 'Safe?', message: 'x', type: 'security', severity: 'warning' });
  const client = await frida.notifications().ready();
  const ask = (query) => client.ask('get-notifications', query);
  const page = await ask({ type: 'tip', limit: 2, offset: 1 });
  assert.equal(page.total, 5);
  assert.deepEqual(page.notifications.map((one) => one.title), ['Tip 3', 'Tip 2']);
  assert.equal((await ask({ type: 'security' })).notifications[0].severity, 'warning');
  assert.equal((await ask({ read: true })).total, 0);
  for (const wrong of [{ type: 'gossip' }, { limit: 0 }, { limit: 1000 }, { offset: -1 }]) {
    const answer = await ask(wrong);
    assert.equal(answer.success, false, JSON.stringify(wrong));
    assert.ok(answer.error);
  }
  assert.equal(client.socket.connected, true);
});

test('someone else\'s notification can be neither read nor marked', async () => {
  const gina = userOf(server, 'gina');
  const thief = userOf(server, 'thief');
  const { id } = (await tell(gina, 'Private')).body;
  const client = await thief.notifications().ready();
  const answer = await client.ask('mark-as-read', { notificationId: id });
  assert.equal(answer.success, false);
  checkProblem(await thief.post(`/notifications/${id}/read`), 404, 'NOTIFICATION_NOT_FOUND');
  assert.equal((await gina.get('/notifications')).body.unreadCount, 1);
});

test('an announcement reaches everyone who is there', async () => {
  const clients = await Promise.all(['x', 'y'].map((name) => userOf(server, name).notifications().ready()));
  const sent = { all: true, title: 'Maintenance', message: 'Tonight at ten.', type: 'system', severity: 'warning' };
  assert.equal((await admin.post('/notifications', sent)).status, 201);
  for (const client of clients) {
    const { all, ...expected } = sent;
    const got = await client.next('system-notification');
    for (const [name, value] of Object.entries(expected)) assert.equal(got[name], value);
    assert.ok(all && !('userId' in got) && !('read' in got));
  }
});

test('the inbox by REST alone: list, read one, read all', async () => {
  const hugo = userOf(server, 'hugo');
  const client = await hugo.notifications().ready();
  const { id } = (await tell(hugo, 'One')).body;
  await tell(hugo, 'Two');
  const list = (await hugo.get('/notifications?limit=1')).body;
  assert.deepEqual([list.total, list.unreadCount, list.notifications.length], [2, 2, 1]);
  assert.equal((await hugo.post(`/notifications/${id}/read`)).status, 200);
  assert.deepEqual(await client.next('marked-as-read'), { notificationId: id }, 'open pages hear of it');
  assert.equal((await hugo.post('/notifications/read-all')).status, 200);
  await client.next('all-marked-as-read');
  await countIs(client, 0);
  checkProblem(await admin.post('/notifications', { userId: 'hugo', message: 'no title' }), 422, 'NOTIFICATION_INVALID');
  checkProblem(await admin.post('/notifications', { userId: 'hugo', title: 'x', type: 'gossip' }), 422, 'NOTIFICATION_INVALID');
  assert.equal((await hugo.get('/notifications')).body.total, 2);
});

test('a payload with a bad member is refused by its name, and what is unknown in it is not', async () => {
  const user = userOf(server, 'exact');
  const client = await user.notifications().ready();
  const refused = [
    ['get-notifications', { limit: 'x' }, 'limit is "x", and not a whole number from 1 to 100.'],
    ['get-notifications', { limit: 0 }, 'limit is 0, and not a whole number from 1 to 100.'],
    ['get-notifications', { limit: 2.5 }, 'limit is 2.5, and not a whole number from 1 to 100.'],
    ['get-notifications', { limit: 101 }, 'limit is 101, and not a whole number from 1 to 100.'],
    ['get-notifications', { offset: '0' }, 'offset is "0", and not a whole number from 0 to 1000000.'],
    ['get-notifications', { offset: -1 }, 'offset is -1, and not a whole number from 0 to 1000000.'],
    ['get-notifications', { read: 'yes' }, 'read is "yes", and not true or false.'],
    ['get-notifications', { type: 5 }, 'type is 5, and not the name of a type, such as processing.'],
    ['get-notifications', { type: 'mail' }, /mail/],
    ['get-notifications', 'x', 'The payload is "x", and not an object.'],
    ['get-notifications', [1], 'The payload is [1], and not an object.'],
    ['mark-as-read', undefined, 'notificationId is missing.'],
    ['mark-as-read', { notificationId: 5 }, 'notificationId is 5, and not the id of a notification.'],
    ['mark-as-read', { notificationId: '' }, 'notificationId is "", and not the id of a notification.'],
    ['mark-as-read', 'x', 'The payload is "x", and not an object.'],
  ];
  for (const [event, payload, words] of refused) {
    const answer = await client.ask(event, payload);
    assert.deepEqual([answer.success, answer.code], [false, 'PAYLOAD_INVALID'], JSON.stringify(payload));
    if (typeof words === 'string') assert.equal(answer.error, words);
    else assert.match(answer.error, words);
  }
  client.socket.emit('get-notifications', { limit: 'x' });
  assert.equal((await client.next('exception')).code, 'PAYLOAD_INVALID');
  for (const payload of [undefined, null, {}, { limit: null, read: null, type: null }, { limit: 5, offset: 0, read: true, type: 'tip', other: 1 }]) {
    assert.equal((await client.ask('get-notifications', payload)).success, true, JSON.stringify(payload));
  }
});
