#!/bin/sh
# make_media.sh OUTDIR: makes the media of the test site with flite and ffmpeg. A second run with everything there
# does nothing, so that several tests can call it; it is atomic, so that they may do so at once.
set -eu

out=$1
if [ -f "$out/done" ]; then exit 0; fi
mkdir -p "$(dirname "$out")"
work=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Spoken one by one, so that the captions carry the true times.
cat > "$work/sentences" <<'TEXT'
Welcome to this short film about the harbor and its ships.
In the morning the fishing boats return with their catch.
At noon the market opens and the whole town comes to buy fresh fish.
In the evening the lighthouse shows the sailors their way home.
TEXT

clock() { awk -v s="$1" -v mark="$2" 'BEGIN { printf "%02d:%02d:%02d%s%03d", s / 3600, (s % 3600) / 60, s % 60, mark, (s * 1000) % 1000 }'; }

: > "$work/parts"
printf 'WEBVTT\n\n' > "$work/en.vtt"
: > "$work/en.srt"
start=0
number=0
while read -r sentence; do
  number=$((number + 1))
  flite -voice rms -t "$sentence" -o "$work/$number.wav"
  ffmpeg -nostdin -v error -y -i "$work/$number.wav" -af apad=pad_dur=0.5 -ar 16000 -ac 1 "$work/part$number.wav"
  length=$(ffprobe -v error -show_entries format=duration -of csv=p=0 "$work/part$number.wav")
  end=$(awk -v a="$start" -v b="$length" 'BEGIN { print a + b }')
  printf "file 'part%d.wav'\n" "$number" >> "$work/parts"
  printf '%s --> %s\n%s\n\n' "$(clock "$start" .)" "$(clock "$end" .)" "$sentence" >> "$work/en.vtt"
  printf '%d\n%s --> %s\n%s\n\n' "$number" "$(clock "$start" ,)" "$(clock "$end" ,)" "$sentence" >> "$work/en.srt"
  start=$end
done < "$work/sentences"
sed -e 's/^Welcome.*/Willkommen zu diesem kurzen Film über den Hafen und seine Schiffe./' \
  -e 's/^In the morning.*/Am Morgen kehren die Fischerboote mit ihrem Fang zurück./' \
  -e 's/^At noon.*/Am Mittag öffnet der Markt, und die ganze Stadt kauft frischen Fisch./' \
  -e 's/^In the evening.*/Am Abend zeigt der Leuchtturm den Seeleuten den Weg nach Hause./' "$work/en.vtt" > "$work/de.vtt"
# As speech recognition writes it: no capitals, no stops.
sed -e '/-->/b' -e '/^WEBVTT/b' -e 's/\.$//' -e 's/.*/\L&/' "$work/en.vtt" > "$work/auto.vtt"

ffmpeg -nostdin -v error -f concat -i "$work/parts" -c:a aac -b:a 64k -ar 44100 "$work/audio.m4a"
# Three pictures that differ, so that there are scenes to find.
ffmpeg -nostdin -v error -f lavfi -i "testsrc2=s=640x360:r=15:d=5[a];mandelbrot=s=640x360:r=15,trim=duration=5[b];smptehdbars=s=640x360:r=15:d=10[c];[a][b][c]concat=n=3" \
  -t "$start" -c:v libx264 -preset veryfast -g 30 -pix_fmt yuv420p "$work/picture.mp4"
ffmpeg -nostdin -v error -i "$work/picture.mp4" -i "$work/audio.m4a" -c copy -shortest -movflags +faststart "$work/video.mp4"
ffmpeg -nostdin -v error -ss 2 -i "$work/video.mp4" -frames:v 1 "$work/poster.jpg"

mkdir "$work/hls"
ffmpeg -nostdin -v error -i "$work/video.mp4" -c copy -f hls -hls_time 4 -hls_playlist_type vod \
  -hls_segment_filename "$work/hls/part%02d.ts" "$work/hls/video.m3u8"
cp "$work/en.vtt" "$work/hls/en.vtt"
cat > "$work/hls/en.m3u8" <<LIST
#EXTM3U
#EXT-X-TARGETDURATION:60
#EXT-X-VERSION:3
#EXT-X-PLAYLIST-TYPE:VOD
#EXTINF:$start,
en.vtt
#EXT-X-ENDLIST
LIST
cat > "$work/hls/master.m3u8" <<'LIST'
#EXTM3U
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,URI="en.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=400000,RESOLUTION=640x360,CODECS="avc1.64001e,mp4a.40.2",SUBTITLES="subs"
video.m3u8
LIST

rm -f "$work"/part*.wav "$work"/[0-9]*.wav "$work/parts"
touch "$work/done"
chmod 755 "$work"
# Whoever is first wins; the others' work is thrown away.
mv -T "$work" "$out" 2>/dev/null || [ -f "$out/done" ]
