// Real speech over real pictures, made once with flite and ffmpeg into the build tree; and the web site that serves it.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { buildFolder, environment, repository, run, waitFor } from './harness.mjs';

const folder = path.join(buildFolder, 'test-media');
export const site = path.join(folder, 'site');

async function succeed(program, args) {
  const end = await run(program, args, { timeout: 120_000 });
  if (end.code !== 0) throw new Error(`${program} ${args.join(' ')}: ${end.code ?? end.signal}\n${end.stderr}`);
}

/** Makes `name` once with ffmpeg; several tests may do so at the same time. */
async function ffmpeg(name, args) {
  const wanted = path.join(folder, name);
  if (fs.existsSync(wanted)) return wanted;
  const work = path.join(folder, `${process.pid}.${name}`);
  await succeed('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args, work]);
  fs.renameSync(work, wanted);
  return wanted;
}

let made = null;

/** The site's films: `film` (17.7 s, picture and sound) and `sound` (an audio file). */
export function media() {
  made ??= succeed(path.join(repository, 'tests/site/make_media.sh'), [site]).then(() => ({
    film: path.join(site, 'video.mp4'),
    sound: path.join(site, 'audio.m4a'),
    captions: path.join(site, 'en.vtt'),
  }));
  return made;
}

/** The site's speech `times` over, as a recording: its transcription takes long enough to disturb it. */
export async function speech(times) {
  const { sound } = await media();
  return ffmpeg(`speech-${times}.m4a`, ['-stream_loop', String(times - 1), '-i', sound, '-c', 'copy']);
}

/** The same with pictures whose scenes take seconds to find: every frame is a keyframe. */
export async function speechFilm(times) {
  const sound = await speech(times);
  const pictures = ['-f', 'lavfi', '-i', 'testsrc2=size=1920x1080:rate=8:duration=80'];
  const encode = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '1', '-c:a', 'copy', '-shortest'];
  return ffmpeg(`speech-film-${times}.mp4`, [...pictures, '-i', sound, ...encode]);
}

/** Nine minutes of speech, for what is never meant to be finished. */
export const longSpeech = () => speech(30);

/** An MP4 that begins well and is cut off in the middle: its index is gone with its end. */
export async function brokenFilm() {
  const { film } = await media();
  const slow = await ffmpeg('index-last.mp4', ['-i', film, '-c', 'copy', '-movflags', '-faststart']);
  const whole = fs.readFileSync(slow);
  return whole.subarray(0, Math.floor(whole.length / 2));
}

/** The test web site: `{url, env, stop()}`; `env` lets yt-dlp read it as a site of YouTube's kind. */
export async function startSite() {
  await media();
  const script = path.join(repository, 'tests/site/serve.py');
  const child = spawn('python3', [script, site], { env: environment(), stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  const port = await waitFor(() => output.match(/PORT (\d+)/), 'the port of the test site');
  return {
    url: `http://127.0.0.1:${port[1]}`,
    env: { PYTHONPATH: path.join(repository, 'tests/site') },
    stop: () => child.stdin.end(),
  };
}
