// Small files that become large: made once by bytes and with ffmpeg, kept in the build tree.
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { buildFolder, run } from '../e2e/harness.mjs';

const folder = path.join(buildFolder, 'test-media', 'bombs');

/** Makes `name` once; `write(file)` fills it. Several tests may do so at the same time. */
async function make(name, write) {
  const wanted = path.join(folder, name);
  if (fs.existsSync(wanted)) return wanted;
  fs.mkdirSync(folder, { recursive: true });
  const work = path.join(folder, `${process.pid}.${name}`);
  await write(work);
  fs.renameSync(work, wanted);
  return wanted;
}

async function ffmpeg(args) {
  const end = await run('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args], { timeout: 120_000 });
  if (end.code !== 0) throw new Error(`ffmpeg ${args.join(' ')}: ${end.code ?? end.signal}\n${end.stderr}`);
}

const crcTable = Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; ++bit) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});
const crc32 = (bytes) => ~bytes.reduce((crc, byte) => crcTable[(crc ^ byte) & 255] ^ (crc >>> 8), 0xffffffff) >>> 0;

function chunk(type, body) {
  const bytes = Buffer.concat([Buffer.alloc(4), Buffer.from(type, 'latin1'), body, Buffer.alloc(4)]);
  bytes.writeUInt32BE(body.length, 0);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), bytes.length - 4);
  return bytes;
}

/** `count` zeros as raw deflate without its end: one block, compressed once, repeated. A full flush ends on a byte. */
function zeros(count, block = 1 << 24) {
  const flushed = (length) => zlib.deflateRawSync(Buffer.alloc(length), { finishFlush: zlib.constants.Z_FULL_FLUSH });
  return Buffer.concat([...Array(Math.floor(count / block)).fill(flushed(block)), flushed(count % block)]);
}
const lastBlock = Buffer.from([3, 0]);

/** A black PNG. `kind`: [bits of a sample, colour type, bytes of a pixel]. */
function png(width, height, [bits, colour, bytesPerPixel]) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([bits, colour, 0, 0, 0], 8);
  const count = (width * bytesPerPixel + 1) * height;
  const adler = Buffer.alloc(4);
  adler.writeUInt32BE((((count % 65521) << 16) | 1) >>> 0);
  const data = Buffer.concat([Buffer.from([0x78, 0x01]), zeros(count), lastBlock, adler]);
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}
const rgba64 = [16, 6, 8];
const rgb24 = [8, 2, 3];

const picture = () => make('14000.png', async (file) => fs.writeFileSync(file, png(14_000, 14_000, rgba64)));

/** Copies pictures into a container without a look at them, which would take the memory that they are about. */
async function mux(file, pictures, size, args) {
  await ffmpeg([...['-f', 'image2', '-framerate', '1', '-video_size', size, '-nofind_stream_info', '-i', pictures], ...args, '-c', 'copy', file]);
}

/** MKV with three streams of one picture of 14,000 × 14,000 RGBA64: 1.5 GiB each when decoded. */
export const threePictures = () => make('three.mkv', async (file) => mux(file, await picture(), '14000x14000', ['-map', '0', '-map', '0', '-map', '0']));
export const onePicture = () => make('one.mov', async (file) => mux(file, await picture(), '14000x14000', ['-map', '0']));

/** A second of sound whose ID3 tag holds the picture as its cover. */
export const cover = () => make('cover.mp3', async (file) => {
  await ffmpeg(['-f', 'lavfi', '-i', 'anullsrc=r=16000:cl=mono', '-t', '1', '-c:a', 'libmp3lame', '-id3v2_version', '0', '-f', 'mp3', file]);
  const sound = fs.readFileSync(file);
  const synchsafe = (n) => Buffer.from([(n >> 21) & 127, (n >> 14) & 127, (n >> 7) & 127, n & 127]);
  const body = Buffer.concat([Buffer.from('\0image/png\0\x03\0', 'latin1'), fs.readFileSync(await picture())]);
  const frame = Buffer.concat([Buffer.from('APIC'), synchsafe(body.length), Buffer.alloc(2), body]);
  fs.writeFileSync(file, Buffer.concat([Buffer.from('ID3\x04\0\0', 'latin1'), synchsafe(frame.length), frame, sound]));
});

/** Forty pictures of 8000 × 4990, just below what one picture may have. */
export const manyPictures = () => make('forty.mkv', async (file) => {
  const frame = png(8_000, 4_990, rgb24);
  const frames = fs.mkdtempSync(path.join(folder, 'frames-'));
  for (let i = 0; i < 40; ++i) fs.writeFileSync(path.join(frames, `${i}.png`), frame);
  await mux(file, path.join(frames, '%d.png'), '8000x4990', []);
  fs.rmSync(frames, { recursive: true });
});

export const manyStreams = () => make('streams.mkv', (file) =>
  ffmpeg(['-f', 'lavfi', '-i', 'testsrc2=s=64x64:r=2:d=2', ...Array(100).fill(['-map', '0']).flat(), '-c:v', 'mjpeg', '-threads', '1', file]));

/** Thirteen hours of silence. */
export const longSilence = () => make('long.m4a', async (file) => {
  const second = `${file}.second.m4a`;
  await ffmpeg(['-f', 'lavfi', '-i', 'anullsrc=r=8000:cl=mono', '-t', '10', '-c:a', 'aac', '-b:a', '8k', second]);
  await ffmpeg(['-stream_loop', String(13 * 360), '-i', second, '-c', 'copy', file]);
  fs.rmSync(second);
});

/** A page of 1 GiB as 1 MB of gzip. */
export const gzipPage = () => make('page.gz', async (file) => {
  const begin = Buffer.from('<!doctype html><html><head><title>A film</title></head><body>');
  const packed = zlib.deflateRawSync(begin, { finishFlush: zlib.constants.Z_FULL_FLUSH });
  const header = Buffer.from([31, 139, 8, 0, 0, 0, 0, 0, 0, 255]);
  // Its checksum is wrong, which is only seen behind the last byte.
  fs.writeFileSync(file, Buffer.concat([header, packed, zeros(2 ** 30), lastBlock, Buffer.alloc(8)]));
});
