// One snapshot: what it is, a volume of it, its tags.
import { useState } from 'preact/hooks';
import { diskLabel, readSnapshot, type Snapshot, snapshotMoves } from '../api/disks';
import { hrefOf } from '../data/address';
import { useFollowed } from '../data/reading';
import { go } from '../data/route';
import { Dialog } from '../ui/dialog';
import { Fact } from '../ui/facts';
import { moment } from '../ui/format';
import { Button, Empty, Heading, Loading, State } from '../ui/parts';
import { attempt } from '../ui/toasts';
import { NewVolume } from './new_volume';
import type { PageProps } from './page';
import { TagsCard } from './tags';

function Actions({ snapshot, session }: { snapshot: Snapshot } & Pick<PageProps, 'session'>) {
  const [asked, setAsked] = useState<'volume' | 'delete' | null>(null);
  const close = () => setAsked(null);
  const remove = async () => {
    close();
    const gone = await attempt(() => session.cloud.call('DeleteSnapshot', { SnapshotId: snapshot.id }), `${diskLabel(snapshot)} was deleted`);
    if (gone) go(['snapshots']);
  };
  return (
    <div class="power" role="group" aria-label="Actions">
      <Button disabled={snapshot.state !== 'completed'} onClick={() => setAsked('volume')}>Make a volume…</Button>
      <Button icon="terminate" kind="danger" onClick={() => setAsked('delete')}>Delete…</Button>
      {asked === 'volume' && <NewVolume session={session} snapshot={snapshot} onClose={close} onDone={() => go(['volumes'])} />}
      {asked === 'delete' && (
        <Dialog danger title={`Delete ${diskLabel(snapshot)}?`} confirm="Delete" onClose={close} onConfirm={() => void remove()}>
          <p>Volumes that were made of it stay. The cloud refuses while an image is made of it.</p>
        </Dialog>
      )}
    </div>
  );
}

export function SnapshotPage({ id, session }: PageProps & { id: string }) {
  const { value, again } = useFollowed(
    () => session.cloud.all('DescribeSnapshots', 'snapshotSet', readSnapshot, { 'Filter.1.Name': 'snapshot-id', 'Filter.1.Value.1': id }),
    [session, id],
    (found) => found.some(snapshotMoves),
  );
  const snapshot = value?.[0];
  const crumbs = (
    <p class="crumbs">
      <a href={hrefOf(['snapshots'])}>Snapshots</a>
    </p>
  );
  if (!snapshot) {
    return (
      <>
        {crumbs}
        <Heading>{id}</Heading>
        {value ? <Empty title="There is no such snapshot, or not any more." /> : <Loading />}
      </>
    );
  }
  return (
    <>
      {crumbs}
      <Heading actions={<Actions snapshot={snapshot} session={session} />}>{diskLabel(snapshot)}</Heading>
      <p class="subtitle" role="status">
        <State value={snapshot.state} />
        {snapshotMoves(snapshot) && <span class="quiet">{snapshot.progress}</span>}
        {snapshot.reason && <span class="quiet">{snapshot.reason}</span>}
      </p>
      <section class="card" aria-labelledby="details">
        <h2 id="details">Details</h2>
        <dl class="facts">
          <Fact label="Id" copy={snapshot.id}>{snapshot.id}</Fact>
          <Fact label="Size">{snapshot.sizeGib} GiB</Fact>
          <Fact label="Of volume">{snapshot.volume ? <a href={hrefOf(['volumes', snapshot.volume])}>{snapshot.volume}</a> : 'none: it was imported'}</Fact>
          <Fact label="Description">{snapshot.description || '–'}</Fact>
          <Fact label="Made">{moment(snapshot.started)}</Fact>
        </dl>
      </section>
      <TagsCard cloud={session.cloud} id={id} tags={snapshot.tags} onChange={again} />
    </>
  );
}
