// The question for a new volume, empty or of a snapshot.
import { useState } from 'preact/hooks';
import { diskLabel, type Snapshot } from '../api/disks';
import { useReading } from '../data/reading';
import type { Session } from '../data/session';
import { Dialog } from '../ui/dialog';
import { Field } from '../ui/parts';
import { attempt } from '../ui/toasts';

const kUsualGib = 8;
const kMostGib = 16384;

interface NewVolumeProps {
  session: Session;
  snapshot: Snapshot | null;
  onDone: () => void;
  onClose: () => void;
}

export function NewVolume({ session, snapshot, onDone, onClose }: NewVolumeProps) {
  const { value: zones } = useReading(
    async () => (await session.cloud.call('DescribeAvailabilityZones')).items('availabilityZoneInfo').map((each) => each.text('zoneName')),
    [session],
  );
  const least = snapshot?.sizeGib ?? 1;
  const [name, setName] = useState('');
  const [size, setSize] = useState(String(Math.max(least, snapshot ? 1 : kUsualGib)));
  const [zone, setZone] = useState('');
  const make = async () => {
    const named = name === '' ? {} : {
      'TagSpecification.1.ResourceType': 'volume', 'TagSpecification.1.Tag.1.Key': 'Name', 'TagSpecification.1.Tag.1.Value': name,
    };
    const wish = { AvailabilityZone: zone || zones?.[0], Size: size, SnapshotId: snapshot?.id, ...named };
    if (await attempt(() => session.cloud.call('CreateVolume', wish), `${name || 'A volume'} is being made`)) onDone();
  };
  return (
    <Dialog title={snapshot ? `Make a volume of ${diskLabel(snapshot)}` : 'Make a volume'} confirm="Make" onClose={onClose}
      onConfirm={() => void make()}>
      <Field id="volume-name" label="Name">
        <input id="volume-name" maxLength={255} value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </Field>
      <Field id="volume-size" label="Size in GiB">
        <input id="volume-size" type="number" required min={least} max={kMostGib} value={size}
          onInput={(event) => setSize(event.currentTarget.value)} />
      </Field>
      <Field id="volume-zone" label="Zone" hint="It can be attached to instances of the same zone.">
        <select id="volume-zone" aria-describedby="volume-zone-hint" value={zone} onChange={(event) => setZone(event.currentTarget.value)}>
          {zones?.map((each) => (
            <option key={each} value={each}>{each}</option>
          ))}
        </select>
      </Field>
    </Dialog>
  );
}
