// The web page in a real browser, against the real server. Screenshots: build/test-results.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { chromium } from 'playwright-core';
import { userOf } from './clients.mjs';
import { buildFolder, startServer, waitFor } from './harness.mjs';
import { longSpeech, media, startSite } from './media.mjs';
import { talk } from './texts.mjs';

const shots = path.join(buildFolder, 'test-results');
const executablePath = process.env.E2E_CHROMIUM ?? '/usr/bin/chromium';

let server;
let site;
let browser;
let context;
let page;
let complaints;
before(async () => {
  await longSpeech();
  fs.mkdirSync(shots, { recursive: true });
  site = await startSite();
  server = await startServer({ env: { RUSHES_DEVELOPMENT: 'true', RUSHES_ALLOW_PRIVATE_ADDRESSES: 'true', ...site.env } });
  browser = await chromium.launch({ executablePath, args: process.getuid() === 0 ? ['--no-sandbox'] : [] });
});
after(async () => {
  await browser?.close();
  await server?.dispose();
  site?.stop();
});
beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  complaints = [];
  page = await newPage();
});
afterEach(async () => {
  await context?.close();
  assert.deepEqual(complaints, [], 'the browser complains of nothing, and nothing comes from elsewhere');
});

const id = (name, where = page) => where.getByTestId(name);

/** Keeps what the page looks like, and sees to it that nothing sticks out of it. */
async function shoot(name) {
  await page.screenshot({ path: path.join(shots, `page-${name}.png`), fullPage: true });
  const wider = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const outside = [...document.body.querySelectorAll('*')].filter((one) => one.getBoundingClientRect().right > clientWidth);
    return scrollWidth > clientWidth ? outside.map((one) => `${one.tagName}.${one.className} ${one.dataset.testid ?? ''}`) : [];
  });
  assert.deepEqual(wider, [], `${name} is wider than its window`);
}

async function newPage() {
  const opened = await context.newPage();
  opened.setDefaultTimeout(15_000);
  opened.on('pageerror', (error) => complaints.push(String(error)));
  opened.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  opened.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (/^(http|ws)/.test(protocol) && host !== `127.0.0.1:${server.port}`) complaints.push(request.url());
  });
  return opened;
}

/** Signs `where` in as `user`, or with the button of the development mode. */
async function signIn(user, where = page) {
  await where.goto(server.url);
  if (user) {
    await id('token-input', where).fill(user.token);
    await id('sign-in-button', where).click();
  } else {
    await id('dev-sign-in', where).click();
  }
  await id('jobs', where).waitFor();
  await where.locator('[data-testid=connection][data-state=live]').waitFor();
}

/** Keeps what the page shows of its first job, from now on, as `[progress, message]`. */
const watchProgress = () =>
  page.evaluate(() => {
    window.shown = [];
    new MutationObserver(() => {
      const job = document.querySelector('[data-testid=job]');
      if (!job) return;
      const now = [Number(job.dataset.progress), job.querySelector('[data-testid=job-message]')?.textContent ?? ''];
      if (String(window.shown.at(-1)) !== String(now)) window.shown.push(now);
    }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  });

const jobWith = (status, where = page) => where.locator(`[data-testid=job][data-status=${status}]`);

async function submitTranscript(title) {
  await id('tab-transcript').click();
  await id('transcript-title').fill(title);
  await id('transcript-input').fill(talk);
  await id('submit-transcript').click();
}

test('sign in by the development button, submit a transcript, see its result and the notification', async () => {
  await page.goto(server.url);
  await id('dev-sign-in').waitFor();
  await shoot('sign-in');
  await signIn();
  assert.match(await id('user').innerText(), /developer/);
  await id('no-jobs').waitFor();
  await shoot('empty');
  await submitTranscript('An oak bookshelf');
  await jobWith('completed').waitFor();
  assert.equal(await id('job-title').innerText(), 'An oak bookshelf');
  await waitFor(async () => (await id('unread-count').innerText().catch(() => '')) === '2', 'two unread notifications');
  await shoot('completed');

  await id('bell').click();
  await id('notification-panel').waitFor();
  assert.match(await id('notification').first().innerText(), /An oak bookshelf/);
  await shoot('notifications');
  await id('mark-all-read').click();
  await id('unread-count').waitFor({ state: 'detached' });
  await id('notification-action').first().click();

  await id('result').waitFor();
  assert.match(await id('summary').innerText(), /oak|bookshelf/);
  assert.equal(await id('title').count(), 7);
  assert.ok((await id('chapter').count()) >= 1);
  assert.match(await id('transcript').innerText(), /spirit level|oak boards/);
  await shoot('result');
});

test('a film\'s progress moves while it is worked on, in the words of the stages', async () => {
  const { film } = await media();
  await signIn(userOf(server, 'watcher'));
  await watchProgress();
  await id('tab-file').click();
  await id('file-input').setInputFiles(film);
  await id('submit-file').click();
  await id('progress').waitFor();
  await page.getByText(/Transcribing audio: 0:/).waitFor();
  await shoot('live');
  await jobWith('completed').waitFor({ timeout: 60_000 });
  const shown = await page.evaluate(() => window.shown);
  const percents = shown.map(([progress]) => progress);
  assert.ok(percents.every((value, i) => i === 0 || value >= percents[i - 1]), `never back: ${percents}`);
  assert.ok(percents.some((value) => value >= 50 && value < 60) && percents.at(-1) === 100, `${percents}`);
  for (const words of [/Transcribing audio/, /Generating AI content/]) assert.ok(shown.some(([, message]) => words.test(message)), `${words}`);

  await id('view-result').click();
  await id('result').waitFor();
  const pictures = id('thumbnail').locator('img');
  await waitFor(async () => (await pictures.count()) >= 3, 'thumbnails');
  await waitFor(() => pictures.first().evaluate((img) => img.complete && img.naturalWidth > 0), 'the first picture');
  await shoot('film-result');
});

test('a link is analysed, and a dead one says why it failed', async () => {
  await signIn(userOf(server, 'linker'));
  await id('tab-link').click();
  await id('url-input').fill(`${site.url}/watch?v=harbor`);
  await id('submit-url').click();
  await jobWith('completed').waitFor({ timeout: 60_000 });
  assert.equal(await id('job-title').first().innerText(), 'The harbor and its ships');
  await id('url-input').fill(`${site.url}/watch?v=nope`);
  await id('submit-url').click();
  await jobWith('failed').waitFor({ timeout: 60_000 });
  assert.match(await id('job-error').innerText(), /check the URL/);
  await shoot('failed');
});

test('cancel stops a job, and a second tab sees it at once', async () => {
  const user = userOf(server, 'canceller');
  await signIn(user);
  const second = await newPage();
  await signIn(user, second);
  await id('tab-file').click();
  await id('file-input').setInputFiles(await longSpeech());
  await id('submit-file').click();
  await page.getByText(/Transcribing audio: 0:/).waitFor({ timeout: 30_000 });
  await jobWith('processing', second).waitFor();
  await id('cancel').click();
  await jobWith('cancelled').waitFor({ timeout: 5_000 });
  await jobWith('cancelled', second).waitFor({ timeout: 5_000 });
  await id('retry').waitFor();
  await shoot('cancelled');
});

test('a reload keeps the list, and words of strangers stay words', async () => {
  const title = '<img src=x onerror="document.title=\'owned\'">';
  await signIn(userOf(server, 'reloader'));
  await submitTranscript(title);
  await jobWith('completed').waitFor();
  await page.reload();
  await jobWith('completed').waitFor();
  assert.equal(await id('job-title').innerText(), title);
  assert.notEqual(await page.title(), 'owned');
  await id('nav-history').click();
  await id('history-entry').waitFor();
});

test('a wrong token is refused in words, on the page', async () => {
  await page.goto(server.url);
  await id('token-input').fill('not-a-token');
  await id('sign-in-button').click();
  await id('sign-in-error').waitFor();
  assert.match(await id('sign-in-error').innerText(), /token/i);
  // The browser itself notes the 401 that the page asked for.
  complaints = complaints.filter((text) => !/status of 401/.test(text));
});

test('it fits a phone', async () => {
  await page.setViewportSize({ width: 375, height: 700 });
  await signIn(userOf(server, 'watcher'));
  await id('job').first().waitFor();
  await shoot('phone');
});
