// The operator's cookies go to the hosts that the operator named, and nowhere else.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { userOf } from '../e2e/clients.mjs';
import { startLab } from './lab.mjs';
import { enterLab, ownFolder, publicAddress } from './namespaces.mjs';
import { answer, redirect, refresh, source } from './pages.mjs';

const { folder } = await enterLab(import.meta.url);

let lab;
before(async () => { lab = await startLab({ folder }); });
after(() => lab?.close());

test('a site that redirects, or embeds, does not get the cookies of another', async (t) => {
  const cookies = path.join(ownFolder('rushes-lab-cookies-'), 'cookies.txt');
  fs.writeFileSync(cookies, `# Netscape HTTP Cookie File\nbank.test\tFALSE\t/\tFALSE\t${2 ** 31 - 1}\tsession\tOPERATORS-COOKIE\n`, { mode: 0o644 });
  fs.chmodSync(path.dirname(cookies), 0o755);
  let server;
  try {
    server = await lab.server({ env: { RUSHES_COOKIES_FILE: cookies, RUSHES_COOKIES_HOSTS: 'bank.test', RUSHES_MAX_ATTEMPTS: '1' } });
  } catch (error) {
    // A yt-dlp that gives cookies away (before 2023.11.14) may end the start.
    assert.match(error.message, /yt-dlp.*2023\.11\.14/);
    t.diagnostic('cookies are refused with this yt-dlp');
    return;
  }
  t.after(() => server.dispose());

  const thief = `http://${publicAddress}:8080/steal.mp4`;
  const page = (name, body) => lab.pages.set(name, answer('page.html', body));
  lab.pages.set('/redir', redirect(302, thief));
  lab.pages.set('/steal.mp4', answer('steal.mp4', lab.clip.mp4));
  page('/source', source('http://bank.test/redir'));
  page('/refresh', refresh('http://bank.test/redir'));
  page('/two', source('http://bank.test/clip.mp4', `<source src="${thief}" type="video/mp4">`));
  const urls = ['http://evil.test/source', 'http://evil.test/refresh', 'http://evil.test/two', 'http://bank.test/redir', 'http://bank.test:8080/clip.mp4'];
  for (const [i, url] of urls.entries()) {
    const user = userOf(server, `user ${i}`);
    const { status, body } = await user.video(url);
    assert.equal(status, 201, JSON.stringify(body));
    await user.ended(body.jobId);
  }
  const asked = lab.seen.map(({ headers, port, path: what }) => ({ host: headers.host, port, what, cookie: headers.cookie }));
  assert.ok(asked.some(({ what }) => what === '/steal.mp4'), 'control: the thief is visited');
  // A port is no part of a cookie's scope.
  assert.deepEqual(asked.filter(({ host, cookie }) => cookie && host.split(':')[0] !== 'bank.test'), []);
});
