// What the account has, kept current: read whole at first and now and then, in parts when the cloud tells of changes.
import { Refusal } from '../api/answer';
import { type Cloud, list } from '../api/cloud';
import { LiveStream } from '../api/live';
import { type Host, type Image, type Instance, readHost, readImage, readInstances } from '../api/records';
import { Observable } from './observable';
import type { Session } from './session';

const kSweep = 60_000;
const kMostAtOnce = 100;

export type Connection = 'connecting' | 'live' | 'broken';

const byLaunch = (a: Instance, b: Instance): number =>
  b.launched.getTime() - a.launched.getTime() || a.id.localeCompare(b.id);

export class Inventory {
  // null: not read yet.
  readonly instances = new Observable<Instance[] | null>(null);
  readonly hosts = new Observable<Host[] | null>(null);
  readonly images = new Observable<Image[]>([]);
  readonly connection = new Observable<Connection>('connecting');
  readonly problem = new Observable<string>('');
  // Ids of instances of which something has just changed.
  readonly changed = new Observable<string[]>([]);

  private readonly cloud: Cloud;
  private readonly stream: LiveStream;
  private readonly sweeper: number;

  constructor(private readonly session: Session) {
    this.cloud = session.cloud;
    this.stream = new LiveStream(this.cloud, 'PileusOpenEvents', {}, ['changed'], {
      onEvent: (_, data) => void this.follow(JSON.parse(data) as { instances: string[]; hosts: string[] }),
      onOpen: () => {
        this.connection.set('live');
        void this.refresh();
      },
      onBroken: () => this.connection.set('broken'),
    });
    this.sweeper = window.setInterval(() => void this.refresh(), kSweep);
  }

  close(): void {
    this.stream.close();
    window.clearInterval(this.sweeper);
  }

  async refresh(): Promise<void> {
    await this.guard(async () => {
      const pages = await this.cloud.pages('DescribeInstances', { MaxResults: 1000 });
      this.instances.set(pages.flatMap(readInstances).sort(byLaunch));
      this.images.set((await this.cloud.call('DescribeImages')).items('imagesSet').map(readImage));
      await this.readHosts();
    });
  }

  // Puts in what is known already, so that a page shows it at once.
  put(instances: Instance[]): void {
    const ids = new Set(instances.map((each) => each.id));
    const rest = (this.instances.value ?? []).filter((each) => !ids.has(each.id));
    this.instances.set([...instances, ...rest].sort(byLaunch));
    this.changed.set([...ids]);
  }

  imageName(id: string): string {
    return this.images.value.find((image) => image.id === id)?.name ?? id;
  }

  private async follow(news: { instances: string[]; hosts: string[] }): Promise<void> {
    await this.guard(async () => {
      for (let at = 0; at < news.instances.length; at += kMostAtOnce) {
        await this.readSome(news.instances.slice(at, at + kMostAtOnce));
      }
      if (news.hosts.length > 0) await this.readHosts();
    });
  }

  private async readSome(ids: string[]): Promise<void> {
    try {
      this.put(readInstances(await this.cloud.call('DescribeInstances', list('InstanceId', ids))));
    } catch (error) {
      // One of them has been forgotten meanwhile.
      if (!(error instanceof Refusal) || !error.code.endsWith('NotFound')) throw error;
      await this.refresh();
    }
  }

  private async readHosts(): Promise<void> {
    if (!this.session.administrator) return;
    const hosts = (await this.cloud.call('PileusDescribeHosts')).items('hostSet').map(readHost);
    this.hosts.set(hosts.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })));
  }

  private async guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.problem.set('');
    } catch (error) {
      this.problem.set(error instanceof Error ? error.message : String(error));
    }
  }
}
