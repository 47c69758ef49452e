// The lab's own control: where the operator lets users name private addresses, the attacks do arrive.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { userOf } from '../e2e/clients.mjs';
import { attacksOf } from './attacks.mjs';
import { serveFile, startLab } from './lab.mjs';
import { enterLab } from './namespaces.mjs';

const { folder } = await enterLab(import.meta.url);

let lab;
let server;
before(async () => {
  lab = await startLab({ folder });
  server = await lab.server({ env: { RUSHES_WORKERS: '4', RUSHES_MAX_ATTEMPTS: '1', RUSHES_ALLOW_PRIVATE_ADDRESSES: 'true' } });
});
after(async () => {
  await server?.dispose();
  lab?.close();
});

test('each way in is one that yt-dlp follows', async () => {
  const all = attacksOf(lab, (request, response) => serveFile(request, response, lab.clip.mp4, 'clip.mp4'));
  const attacks = all.filter(({ family }) => ['redirects', 'manifests', 'embedded', 'names', 'rebinding'].includes(family));
  for (const attack of attacks) {
    attack.user = userOf(server, attack.id);
    const answer = await attack.user.video(attack.url);
    assert.equal(answer.status, 201, `${attack.name}: ${JSON.stringify(answer.body)}`);
    attack.job = answer.body.jobId;
  }
  const arrived = {};
  for (const { family, name, id, user, job } of attacks) {
    const { status, error } = await user.ended(job, 180_000);
    const came = lab.hits.filter((hit) => hit.path.includes(`/${id}/`) || hit.headers?.host?.includes(`.${id}.`));
    console.log(`${came.length > 0 ? 'arrived' : '       '} ${family}: ${name}: ${status} ${error ?? ''}`);
    if (came.length > 0) (arrived[family] ??= []).push(name);
  }
  const counts = Object.fromEntries(Object.entries(arrived).map(([family, which]) => [family, which.length]));
  for (const [family, least] of Object.entries({ redirects: 6, manifests: 7, embedded: 5, names: 4, rebinding: 1 })) {
    assert.ok(counts[family] >= least, `${family}: ${JSON.stringify(counts)}`);
  }
});
