// What people said, for the transcript jobs.
export const talk = `Welcome back to the workshop. Today we build a wooden bookshelf from oak boards.
First we measure the wall and cut the oak boards to length with a hand saw.
A sharp saw makes a clean cut, and a clean cut makes a strong joint.
Then we sand every board, because smooth oak takes the oil evenly.
For the joints we use dowels and wood glue, and we clamp the bookshelf for an hour.
While the glue dries we mix linseed oil with a little beeswax.
The oil protects the oak from water, and the wax gives the bookshelf a soft shine.
At last we hang the bookshelf on the wall and check it with a spirit level.
If you want to build a larger bookshelf, choose thicker boards and add a bracket in the middle.
Thank you for watching, and see you next week in the workshop.`;

const clock = (seconds, mark) => {
  const parts = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map((part) => String(Math.floor(part)).padStart(2, '0'));
  return `${parts.join(':')}${mark}000`;
};

const cues = talk.split('\n').map((line, i) => ({ line, start: i * 20, end: i * 20 + 18 }));

export const talkAsSrt = cues
  .map(({ line, start, end }, i) => `${i + 1}\n${clock(start, ',')} --> ${clock(end, ',')}\n${line}\n`)
  .join('\n');

export const talkAsVtt = `WEBVTT\n\n${cues
  .map(({ line, start, end }) => `${clock(start, '.')} --> ${clock(end, '.')}\n${line}\n`)
  .join('\n')}`;
