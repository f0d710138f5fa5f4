// All volumes of the account, and a new one.
import { useState } from 'preact/hooks';
import { diskLabel, readVolume, type Volume, volumeMoves } from '../api/disks';
import { labelOf } from '../api/records';
import { hrefOf } from '../data/address';
import { useValue } from '../data/observable';
import { useFollowed } from '../data/reading';
import { ago, moment } from '../ui/format';
import { Button, Empty, Heading, Loading, State } from '../ui/parts';
import { Table } from '../ui/table';
import { NewVolume } from './new_volume';
import type { PageProps } from './page';

const byAge = (a: Volume, b: Volume): number => b.created.getTime() - a.created.getTime() || a.id.localeCompare(b.id);
const kTitles = ['Name', 'State', 'Size', 'Attached to', 'Zone', 'Made'];

function Row({ volume, instance }: { volume: Volume; instance: string }) {
  return (
    <tr>
      <th scope="row">
        <a href={hrefOf(['volumes', volume.id])}>{diskLabel(volume)}</a>
        {volume.name && <span class="id">{volume.id}</span>}
      </th>
      <td data-label="State"><State value={volume.state} /></td>
      <td data-label="Size">{volume.sizeGib} GiB</td>
      <td data-label="Attached to">
        {volume.attachment ? <a href={hrefOf(['instances', volume.attachment.instance])}>{instance}</a> : '–'}
        {volume.attachment && ` as ${volume.attachment.device}`}
      </td>
      <td data-label="Zone">{volume.zone}</td>
      <td data-label="Made" title={moment(volume.created)}>{ago(volume.created)}</td>
    </tr>
  );
}

export function VolumesPage({ session, inventory }: PageProps) {
  const instances = useValue(inventory.instances) ?? [];
  const { value: volumes, again } = useFollowed(
    () => session.cloud.all('DescribeVolumes', 'volumeSet', readVolume),
    [session],
    (all) => all.some(volumeMoves),
  );
  const [making, setMaking] = useState(false);
  const nameOf = (id: string) => {
    const instance = instances.find((each) => each.id === id);
    return instance ? labelOf(instance) : id;
  };
  return (
    <>
      <Heading actions={<Button icon="launch" kind="primary" onClick={() => setMaking(true)}>Make a volume</Button>}>Volumes</Heading>
      {!volumes && <Loading />}
      {volumes?.length === 0 && <Empty title="There are no volumes yet: a volume is a disk that outlives its instance." />}
      {volumes && volumes.length > 0 && (
        <Table label="Volumes" titles={kTitles}>
          {[...volumes].sort(byAge).map((volume) => (
            <Row key={volume.id} volume={volume} instance={nameOf(volume.attachment?.instance ?? '')} />
          ))}
        </Table>
      )}
      {making && (
        <NewVolume session={session} snapshot={null} onClose={() => setMaking(false)}
          onDone={() => {
            setMaking(false);
            again();
          }} />
      )}
    </>
  );
}
