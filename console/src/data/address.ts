// Addresses within the console: what is behind '#', "/instances/i-1/console?filter=web".

export interface Route {
  parts: string[];
  query: URLSearchParams;
}

export function parseRoute(hash: string): Route {
  const text = hash.replace(/^#?\/?/, '');
  const [path = '', query = ''] = text.split(/\?(.*)/s);
  return { parts: path.split('/').filter((part) => part !== '').map(decodeURIComponent), query: new URLSearchParams(query) };
}

export function hrefOf(parts: string[], query: Record<string, string> = {}): string {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '')).toString();
  return '#/' + parts.map(encodeURIComponent).join('/') + (search === '' ? '' : '?' + search);
}
