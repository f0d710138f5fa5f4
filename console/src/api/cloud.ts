// Calls of the cloud's API, which is where this page came from.
import { Node, parseAnswer, Refusal } from './answer';
import { type Credentials, signedHeaders } from './signature';

export type Parameters = Record<string, string | number | boolean | undefined>;

const kContentType = 'application/x-www-form-urlencoded; charset=utf-8';
const kMostPages = 100;

// {"InstanceId.1": ..., "InstanceId.2": ...}
export function list(name: string, values: string[], suffix = ''): Parameters {
  return Object.fromEntries(values.map((value, index) => [`${name}.${index + 1}${suffix}`, value]));
}

// RFC 3986, section 2.3: what encodeURIComponent leaves alone beyond that is encoded too.
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase());

export function formOf(parameters: Parameters): string {
  return Object.entries(parameters)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${encode(name)}=${encode(String(value))}`)
    .join('&');
}

export class Cloud {
  constructor(
    private readonly credentials: Credentials,
    readonly region: string,
    // Called when the cloud does not know the access key (any more).
    private readonly onRefused: () => void = () => {},
  ) {}

  // Throws a Refusal.
  async call(action: string, parameters: Parameters = {}): Promise<Node> {
    const sts = action === 'GetCallerIdentity';
    const body = formOf({ ...parameters, Action: action, Version: sts ? '2011-06-15' : '2016-11-15' });
    const headers = await signedHeaders({
      credentials: this.credentials,
      host: location.host,
      region: this.region,
      service: sts ? 'sts' : 'ec2',
      body,
      contentType: kContentType,
      now: new Date(),
    });
    let response: Response;
    try {
      response = await fetch('/', { method: 'POST', headers, body });
    } catch {
      throw new Refusal('NoConnection', 'The cloud does not answer: is it up, and this machine online?');
    }
    if (response.status === 401) this.onRefused();
    return parseAnswer(response.status, await response.text());
  }

  // All pages of an answer, one after the other.
  async pages(action: string, parameters: Parameters = {}): Promise<Node[]> {
    const all: Node[] = [];
    let token = '';
    do {
      const page = await this.call(action, { ...parameters, NextToken: token });
      all.push(page);
      token = page.text('nextToken');
    } while (token !== '' && all.length < kMostPages);
    return all;
  }

  // The things in the set `set` of all pages.
  async all<T>(action: string, set: string, read: (node: Node) => T, parameters: Parameters = {}): Promise<T[]> {
    return (await this.pages(action, parameters)).flatMap((page) => page.items(set).map(read));
  }
}
