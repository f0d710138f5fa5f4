// Who is signed in. The key is kept for this tab only, and goes with it.
import { Refusal } from '../api/answer';
import { Cloud } from '../api/cloud';
import type { Credentials } from '../api/signature';
import { Observable } from './observable';

export interface Session {
  cloud: Cloud;
  accessKey: string;
  account: string;
  name: string;
  administrator: boolean;
}

const kStored = 'pileus-credentials';
const kFirstRegion = 'pileus-1'; // until the cloud has told its own

export const session = new Observable<Session | null>(null);
// Why the last session ended, for the sign-in page.
export const ended = new Observable<string>('');

export function storedCredentials(): Credentials | null {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(kStored) ?? 'null');
    const { accessKey, secretKey } = (found ?? {}) as Partial<Credentials>;
    return accessKey && secretKey ? { accessKey, secretKey } : null;
  } catch {
    return null;
  }
}

// "arn:aws:iam::123456789012:user/alice" -> "alice"
const nameOf = (arn: string): string => arn.slice(arn.lastIndexOf(':') + 1).replace(/^user\//, '');

async function mayAdministrate(cloud: Cloud): Promise<boolean> {
  try {
    await cloud.call('PileusDescribeHosts', { DryRun: true });
  } catch (error) {
    if (error instanceof Refusal && error.code === 'UnauthorizedOperation') return false;
    if (!(error instanceof Refusal) || error.code !== 'DryRunOperation') throw error;
  }
  return true;
}

// Throws a Refusal when the key is not good.
export async function signIn(credentials: Credentials): Promise<void> {
  const first = new Cloud(credentials, kFirstRegion);
  const caller = await first.call('GetCallerIdentity');
  const regions = await first.call('DescribeRegions');
  const region = regions.items('regionInfo')[0]?.text('regionName') || kFirstRegion;
  const cloud = new Cloud(credentials, region, () => signOut('The cloud does not take this access key any more.'));
  const arn = caller.text('GetCallerIdentityResult/Arn');
  sessionStorage.setItem(kStored, JSON.stringify(credentials));
  ended.set('');
  session.set({
    cloud,
    accessKey: credentials.accessKey,
    account: caller.text('GetCallerIdentityResult/Account'),
    name: nameOf(arn),
    administrator: await mayAdministrate(cloud),
  });
}

export function signOut(why = ''): void {
  sessionStorage.removeItem(kStored);
  ended.set(why);
  session.set(null);
}
