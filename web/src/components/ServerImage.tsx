import { useEffect, useState } from 'preact/hooks';

import { api } from '../app';

interface Props {
  address: string;
  alt: string;
  width: number;
  height: number;
}

/** An image that may need the token: `<img>` cannot send one, so it is fetched and shown from memory. */
export function ServerImage({ address, alt, width, height }: Props) {
  const [source, setSource] = useState<string>();
  const [failed, setFailed] = useState(false);

  useEffect(() => {
    const stop = new AbortController();
    let made: string | undefined;
    setFailed(false);
    api
      .file(address, stop.signal)
      .then((blob) => {
        if (stop.signal.aborted) return;
        made = URL.createObjectURL(blob);
        setSource(made);
      })
      .catch(() => !stop.signal.aborted && setFailed(true));
    return () => {
      stop.abort();
      if (made) URL.revokeObjectURL(made);
      setSource(undefined);
    };
  }, [address]);

  if (failed) return <span class="image-missing">Not available</span>;
  return <img src={source} alt={alt} width={width} height={height} data-loaded={source !== undefined} />;
}
