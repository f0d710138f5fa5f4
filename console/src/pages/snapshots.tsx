// All snapshots of the account.
import { diskLabel, readSnapshot, type Snapshot, snapshotMoves } from '../api/disks';
import { hrefOf } from '../data/address';
import { useFollowed } from '../data/reading';
import { ago, moment } from '../ui/format';
import { Empty, Heading, Loading, State } from '../ui/parts';
import { Table } from '../ui/table';
import type { PageProps } from './page';

const kTitles = ['Name', 'State', 'Size', 'Of volume', 'Description', 'Made'];

function Row({ snapshot }: { snapshot: Snapshot }) {
  return (
    <tr>
      <th scope="row">
        <a href={hrefOf(['snapshots', snapshot.id])}>{diskLabel(snapshot)}</a>
        {snapshot.name && <span class="id">{snapshot.id}</span>}
      </th>
      <td data-label="State">
        <State value={snapshot.state} />
        {snapshotMoves(snapshot) && <span class="quiet"> {snapshot.progress}</span>}
      </td>
      <td data-label="Size">{snapshot.sizeGib} GiB</td>
      <td data-label="Of volume">{snapshot.volume ? <a href={hrefOf(['volumes', snapshot.volume])}>{snapshot.volume}</a> : '–'}</td>
      <td data-label="Description" class="wraps">{snapshot.description || '–'}</td>
      <td data-label="Made" title={moment(snapshot.started)}>{ago(snapshot.started)}</td>
    </tr>
  );
}

export function SnapshotTable({ snapshots }: { snapshots: Snapshot[] }) {
  const latestFirst = [...snapshots].sort((a, b) => b.started.getTime() - a.started.getTime() || a.id.localeCompare(b.id));
  return (
    <Table label="Snapshots" titles={kTitles}>
      {latestFirst.map((snapshot) => (
        <Row key={snapshot.id} snapshot={snapshot} />
      ))}
    </Table>
  );
}

export function SnapshotsPage({ session }: PageProps) {
  const { value: snapshots } = useFollowed(
    () => session.cloud.all('DescribeSnapshots', 'snapshotSet', readSnapshot, { 'Owner.1': 'self' }),
    [session],
    (all) => all.some(snapshotMoves),
  );
  return (
    <>
      <Heading>Snapshots</Heading>
      {!snapshots && <Loading />}
      {snapshots?.length === 0 && <Empty title="There are no snapshots yet: a volume's page makes one of it." />}
      {snapshots && snapshots.length > 0 && <SnapshotTable snapshots={snapshots} />}
    </>
  );
}
