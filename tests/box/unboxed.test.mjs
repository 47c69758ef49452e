// A host without the namespaces that the box is made of: it says so, and what needs the network is refused.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { rest, userOf } from '../e2e/clients.mjs';
import { waitFor } from '../e2e/harness.mjs';
import { startLab } from './lab.mjs';
import { enterLab, withoutAny } from './namespaces.mjs';

const { folder } = await enterLab(import.meta.url);

let lab;
before(async () => { lab = await startLab({ folder }); });
after(() => lab?.close());

const sentence = /^\S.{15,}[.!]$/;

for (const what of ['net_namespaces', 'user_namespaces']) {
  describe(`a host out of ${what}`, () => {
    let server;
    before(async () => { server = await lab.server({ through: withoutAny(what) }); });
    after(() => server?.dispose());

    test('a URL is refused, with the reason', async () => {
      const user = userOf(server, 'ann');
      const answer = await user.video('http://evil.test/film/clip.mp4');
      // At the submit or as the job's end: both say it.
      if (answer.status !== 201) {
        assert.equal(answer.body.code, 'SANDBOX_MISSING', JSON.stringify(answer.body));
        assert.match(answer.body.message, sentence);
      } else {
        const { status, error, metadata } = await user.ended(answer.body.jobId);
        assert.equal(status, 'failed');
        assert.equal(metadata.errorCode, 'SANDBOX_MISSING', error);
        assert.match(error, sentence);
        assert.equal((await user.get(`/analyze/job/${answer.body.jobId}/attempts`)).body.attempts.length, 1, 'no second attempt');
      }
      assert.deepEqual(lab.seen, [], 'the site was not asked');
    });

    test('a file and a transcript are worked on', async () => {
      const user = userOf(server, 'ben');
      const file = await user.upload(path.join(folder, 'clip.mp4'));
      const words = await user.transcript('The harbor opens early. The boats bring fish. The market sells the fish at noon.');
      for (const { body } of [file, words]) {
        const { status, error } = await user.ended(body.jobId);
        assert.equal(status, 'completed', error);
      }
    });

    test('/health names what is missing and the remedy, the log warns', async () => {
      const { status, body } = await rest(server, 'GET', '/health');
      assert.equal(status, 200, 'it serves all the same');
      assert.equal(body.sandbox?.complete, false, JSON.stringify(body));
      assert.ok(body.sandbox.missing.length > 0);
      for (const { part, remedy } of body.sandbox.missing) assert.ok(part.length > 2 && remedy.length > 10, JSON.stringify(body.sandbox));
      assert.match(JSON.stringify(body.sandbox.missing), /network/);
      await waitFor(() => /warn.*namespace/i.test(server.log), 'a warning');
    });
  });
}

test('best-effort: the operator chose to fetch all the same', async (t) => {
  const server = await lab.server({ through: withoutAny('net_namespaces'), env: { RUSHES_SANDBOX: 'best-effort' } });
  t.after(() => server.dispose());
  const user = userOf(server, 'cas');
  const { body } = await user.video('http://evil.test/film/clip.mp4');
  const { status, error } = await user.ended(body.jobId);
  assert.equal(status, 'completed', error);
  assert.equal((await rest(server, 'GET', '/health')).body.sandbox.complete, false);
});

test('require: without the whole box nothing is worked on', async (t) => {
  let server;
  try {
    server = await lab.server({ through: withoutAny('net_namespaces'), env: { RUSHES_SANDBOX: 'require' } });
  } catch (error) {
    assert.match(error.message, /sandbox/i);
    assert.match(error.message, /namespace/i);
    return;
  }
  t.after(() => server.dispose());
  const user = userOf(server, 'dan');
  const { body } = await user.upload(path.join(folder, 'clip.mp4'));
  const { status, metadata } = body.jobId ? await user.ended(body.jobId) : { status: 'failed', metadata: { errorCode: body.code } };
  assert.equal(status, 'failed');
  assert.equal(metadata.errorCode, 'SANDBOX_MISSING');
});

test('where namespaces can be made, none is missed', async (t) => {
  const server = await lab.server();
  t.after(() => server.dispose());
  const { sandbox } = (await rest(server, 'GET', '/health')).body;
  assert.doesNotMatch(JSON.stringify(sandbox.missing), /namespace|network/, 'an old kernel may lack other parts');
  assert.equal(sandbox.complete, sandbox.missing.length === 0);
});
