// One volume: what it is, what can be done with it, its snapshots, its tags.
import { diskLabel, readSnapshot, readVolume, snapshotMoves, type Snapshot, type Volume, volumeMoves } from '../api/disks';
import { hrefOf } from '../data/address';
import { useFollowed } from '../data/reading';
import { Fact } from '../ui/facts';
import { moment } from '../ui/format';
import { Empty, Heading, Loading, State } from '../ui/parts';
import type { PageProps } from './page';
import { SnapshotTable } from './snapshots';
import { TagsCard } from './tags';
import { VolumeActions } from './volume_actions';

// null: it is not there (any more).
async function read({ session }: PageProps, id: string): Promise<{ volume: Volume | null; snapshots: Snapshot[] }> {
  const ofVolume = { 'Filter.1.Name': 'volume-id', 'Filter.1.Value.1': id };
  const [volumes, snapshots] = await Promise.all([
    session.cloud.all('DescribeVolumes', 'volumeSet', readVolume, ofVolume),
    session.cloud.all('DescribeSnapshots', 'snapshotSet', readSnapshot, { 'Owner.1': 'self', ...ofVolume }),
  ]);
  return { volume: volumes[0] ?? null, snapshots };
}

function Details({ volume }: { volume: Volume }) {
  const { attachment } = volume;
  return (
    <section class="card" aria-labelledby="details">
      <h2 id="details">Details</h2>
      <dl class="facts">
        <Fact label="Id" copy={volume.id}>{volume.id}</Fact>
        <Fact label="Size">{volume.sizeGib} GiB</Fact>
        <Fact label="Type">{volume.type}</Fact>
        <Fact label="Zone">{volume.zone}</Fact>
        <Fact label="Attached to">
          {attachment ? <a href={hrefOf(['instances', attachment.instance])}>{attachment.instance}</a> : '–'}
        </Fact>
        {attachment && <Fact label="Device">{attachment.device}</Fact>}
        {attachment && <Fact label="Attachment"><State value={attachment.state} /></Fact>}
        {attachment && <Fact label="When the instance is terminated">it {attachment.endsWithInstance ? 'goes too' : 'stays'}</Fact>}
        <Fact label="Made of">{volume.snapshot ? <a href={hrefOf(['snapshots', volume.snapshot])}>{volume.snapshot}</a> : 'nothing'}</Fact>
        <Fact label="Made">{moment(volume.created)}</Fact>
      </dl>
    </section>
  );
}

export function VolumePage({ id, ...props }: PageProps & { id: string }) {
  const { value, again } = useFollowed(
    () => read(props, id),
    [props.session, id],
    ({ volume, snapshots }) => (volume !== null && volumeMoves(volume)) || snapshots.some(snapshotMoves),
  );
  const crumbs = (
    <p class="crumbs">
      <a href={hrefOf(['volumes'])}>Volumes</a>
    </p>
  );
  if (!value?.volume) {
    return (
      <>
        {crumbs}
        <Heading>{id}</Heading>
        {value ? <Empty title="There is no such volume, or not any more." /> : <Loading />}
      </>
    );
  }
  const { volume, snapshots } = value;
  return (
    <>
      {crumbs}
      <Heading actions={<VolumeActions volume={volume} again={again} {...props} />}>{diskLabel(volume)}</Heading>
      <p class="subtitle" role="status">
        <State value={volume.state} />
      </p>
      <Details volume={volume} />
      <section aria-labelledby="snapshots">
        <h2 id="snapshots">Snapshots of it</h2>
        {snapshots.length === 0 ? <Empty title="There are none yet." /> : <SnapshotTable snapshots={snapshots} />}
      </section>
      <TagsCard cloud={props.session.cloud} id={id} tags={volume.tags} onChange={again} />
    </>
  );
}
