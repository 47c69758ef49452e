import { useEffect, useRef, useState } from 'preact/hooks';

import type { Thumbnail } from '../contract';
import { download, fileName } from '../files';
import { clock } from '../format';
import { Icon } from './Icon';
import { ServerImage } from './ServerImage';

function suffixOf(address: string): string {
  return /\.(jpg|jpeg|png|webp)(?:$|\?)/i.exec(address)?.[1] ?? 'jpg';
}

/** The frames as a strip of film; a click shows one large. */
export function Thumbnails({ thumbnails, title }: { thumbnails: readonly Thumbnail[]; title: string }) {
  const [shown, setShown] = useState<Thumbnail>();
  const dialog = useRef<HTMLDialogElement>(null);

  useEffect(() => {
    if (shown) dialog.current?.showModal();
  }, [shown]);

  return (
    <section class="strip" aria-label="Thumbnails" data-testid="thumbnails">
      <ul tabIndex={0} aria-label="Frames of the video">
        {thumbnails.map((frame) => (
          <li key={frame.url}>
            <button data-testid="thumbnail" aria-label={`Frame at ${clock(frame.time)}, show large`} onClick={() => setShown(frame)}>
              <ServerImage address={frame.url} alt="" width={frame.width} height={frame.height} />
              <span class="timestamp">{clock(frame.time)}</span>
            </button>
          </li>
        ))}
      </ul>
      {shown && (
        <dialog
          ref={dialog}
          class="frame"
          aria-label={`Frame at ${clock(shown.time)}`}
          data-testid="frame-dialog"
          onClose={() => setShown(undefined)}
          onClick={(event) => event.target === dialog.current && dialog.current?.close()}
        >
          <ServerImage
            address={shown.url}
            alt={`${title} at ${clock(shown.time)}`}
            width={shown.width}
            height={shown.height}
          />
          <div class="frame-foot">
            <span class="muted">
              {clock(shown.time)} · {shown.width} × {shown.height}
            </span>
            <button
              data-testid="save-frame"
              onClick={() =>
                void download(
                  shown.url,
                  `${fileName(title)}-${clock(shown.time).replace(/:/g, '-')}.${suffixOf(shown.url)}`,
                ).catch(() => {})
              }
            >
              <Icon name="download" />
              Save
            </button>
            <button data-testid="close-frame" onClick={() => dialog.current?.close()}>
              Close
            </button>
          </div>
        </dialog>
      )}
    </section>
  );
}
