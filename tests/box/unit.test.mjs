// The systemd unit that we ship: how systemd rates it, and whether everything works under its settings. systemd need not run.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { rest, userOf } from '../e2e/clients.mjs';
import { binary, run } from '../e2e/harness.mjs';
import { media } from '../e2e/media.mjs';
import { startLab } from './lab.mjs';
import { enterLab, ownFolder } from './namespaces.mjs';
import { exposure, serviceSettings, settingsToApply } from './unit.mjs';

const mostExposure = 2.2;
const underUnit = process.env.RUSHES_UNDER_UNIT ?? path.join(path.dirname(binary), 'rushes_under_unit');
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

const { folder } = await enterLab(import.meta.url);

/** A program and its options that start `rushes` under `settings`, with its data in `dataDir`. */
function applying(settings, dataDir) {
  const file = path.join(folder, `settings-${Math.random()}`);
  fs.writeFileSync(file, settings);
  return ['unshare', '--mount', '--', underUnit, file, dataDir];
}

describe('packaging/rushes.service', { skip: hasSystemd || process.env.CI ? false : 'systemd-analyze is not installed' }, () => {
  let lab;
  before(async () => { lab = await startLab({ folder }); });
  after(() => lab?.close());

  test('systemd rates its exposure', (t) => {
    const rating = exposure();
    t.diagnostic(`exposure: ${rating}`);
    assert.ok(rating <= mostExposure, `${rating}, at most ${mostExposure}`);
  });

  /** What `rushes box-check` finds missing under `settings`. */
  async function missingUnder(settings) {
    const [program, ...args] = applying(settings, ownFolder('rushes-unit-'));
    const end = await run(program, [...args, binary, 'box-check']);
    assert.equal(end.code, 0, end.stderr);
    return JSON.parse(end.stdout).missing.map(({ part }) => part);
  }

  test('every wall of the box stands under its settings', async () => {
    assert.deepEqual(await missingUnder(settingsToApply()), []);
  });

  test('control: a setting that takes something from the box is noticed', async () => {
    const settings = serviceSettings();
    const with_ = (directive, value) => settingsToApply([...settings.filter(([name]) => name !== directive), [directive, value]]);
    assert.match(String(await missingUnder(with_('RestrictNamespaces', 'user pid ipc mnt uts cgroup'))), /network namespace/);
    assert.match(String(await missingUnder(with_('ProtectHostname', 'yes'))), /ipc namespace/);
    const noMounts = settings.filter(([, value]) => !value.startsWith('mount '));
    assert.match(String(await missingUnder(settingsToApply(noMounts))), /mount namespace/);
  });

  test('a file, a transcript and a URL are worked on', async (t) => {
    const dataDir = ownFolder('rushes-unit-');
    const server = await lab.server({ dataDir, through: applying(settingsToApply(), dataDir) });
    t.after(() => server.dispose());
    const { sandbox } = (await rest(server, 'GET', '/health')).body;
    if (sandbox) assert.deepEqual(sandbox, { complete: true, missing: [] });

    const user = userOf(server, 'ann');
    const { film } = await media();
    const submitted = [
      await user.upload(film),
      await user.transcript('The harbor opens early. The boats bring fish. The market sells the fish at noon.'),
      await user.video('http://evil.test/film/clip.mp4'),
    ];
    for (const { body } of submitted) {
      const { status, error, result } = await user.ended(body.jobId);
      assert.equal(status, 'completed', error);
      for (const { url } of result.thumbnails ?? []) assert.equal((await fetch(new URL(url, server.url))).status, 200, url);
    }
  });
});
