// Two servers behind one proxy: the session ids' first characters say where each request belongs; docs/proxies.md, Several servers.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { closeSockets } from './clients.mjs';
import { signToken, secondsFromNow, startServer, temporaryFolder } from './harness.mjs';
import { clientOf, documentedProxies, host, makeCertificate } from './proxies.mjs';

const secret = 'one secret for both servers, thirty-two bytes';
const folder = temporaryFolder('rushes-balance-');
let certificate;
let servers;
before(async () => {
  certificate = await makeCertificate(folder);
  servers = await Promise.all(['a', 'b'].map((letter) => startServer({ secret, env: { RUSHES_SID_PREFIX: letter, RUSHES_TRUSTED_PROXIES: '127.0.0.1', RUSHES_PUBLIC_URL: `https://${host}` } })));
});
after(async () => {
  closeSockets();
  await Promise.all(servers?.map((server) => server.dispose()) ?? []);
  fs.rmSync(folder, { recursive: true, force: true });
});

const blocks = {
  nginx: '/etc/nginx/conf.d/rushes-balance.conf',
  caddy: '/etc/caddy/Caddyfile, two servers',
  haproxy: '/etc/haproxy/haproxy.cfg, two servers',
};
for (const [name, block] of Object.entries(blocks)) {
  test(`${name}: twenty long-polling sessions stay where they began, on either server`, async () => {
    const upstreams = servers.map((server, i) => [`127.0.0.1:${3001 + i}`, `127.0.0.1:${server.port}`]);
    const proxy = await documentedProxies[name](block, upstreams, 'https', certificate);
    try {
      const client = clientOf(proxy);
      const token = signToken(secret, { sub: 'alice', exp: secondsFromNow(600) });
      const polling = Array.from({ length: 20 }, () => client.connect(token, { transports: ['polling'] }));
      const upgrading = Array.from({ length: 6 }, () => client.connect(token));
      for (const socket of [...polling, ...upgrading]) await socket.ready();
      for (const socket of [...polling, ...upgrading]) {
        assert.equal((await socket.ask('subscribe-queue', {})).success, true);
        assert.deepEqual(socket.of('disconnect'), []);
      }
      const letters = polling.map(({ socket }) => socket.io.engine.id[0]);
      for (const letter of ['a', 'b']) assert.ok(letters.filter((one) => one === letter).length >= 5, `${letters}`);
      assert.ok(letters.every((letter) => 'ab'.includes(letter)), `${letters}`);
      for (const socket of [...polling, ...upgrading]) socket.close();
    } catch (error) {
      error.message += `\n${name} said: ${proxy.complaints()}`;
      throw error;
    } finally {
      await proxy.stop();
    }
  });
}
