// Where the server is: in the folder of the page's own address, whatever path a proxy puts it under.

const page = () => document.baseURI;

/**
 * An address of the server's, as it writes them (`/files/…`, `/#/analysis/…`), from where `base`, a page of it, is. Throws for
 * what is no address.
 */
export function addressOf(address: string, base = page()): URL {
  return new URL(address.startsWith('/') ? `.${address}` : address, base);
}

/** Whether an address is one of the server's, and not of what else lives at its origin. */
export function isOfServer(url: URL, base = page()): boolean {
  return url.href.startsWith(new URL('.', base).href);
}
