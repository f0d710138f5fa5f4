// Key pairs: made (the private half is handed out once), imported, deleted.
import { useState } from 'preact/hooks';
import { type KeyPair, readKeyPair } from '../api/records';
import { base64 } from '../data/launch';
import { useReading } from '../data/reading';
import { Dialog } from '../ui/dialog';
import { ago } from '../ui/format';
import { Button, Empty, Field, Heading, Loading } from '../ui/parts';
import { attempt } from '../ui/toasts';
import type { PageProps } from './page';

function save(name: string, text: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/x-pem-file' }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

interface NewKeyProps extends Pick<PageProps, 'session'> {
  onDone: () => void;
  onClose: () => void;
}
function NewKey({ session, onDone, onClose }: NewKeyProps) {
  const [name, setName] = useState('');
  const [material, setMaterial] = useState('');
  const make = async () => {
    if (material.trim() !== '') {
      await session.cloud.call('ImportKeyPair', { KeyName: name, PublicKeyMaterial: base64(material.trim()) });
      return;
    }
    const made = await session.cloud.call('CreateKeyPair', { KeyName: name, KeyType: 'ed25519' });
    save(`${name}.pem`, made.text('keyMaterial'));
  };
  const confirm = async () => {
    if (await attempt(make, material.trim() === '' ? `${name} was made; its private half is in your downloads` : `${name} was imported`)) onDone();
  };
  return (
    <Dialog title="Add a key pair" confirm="Add" onClose={onClose} onConfirm={() => void confirm()}>
      <Field id="key-name" label="Name">
        <input id="key-name" required maxLength={255} value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </Field>
      <Field id="key-material" label="Public key" hint="As in ~/.ssh/id_ed25519.pub. Left empty, a pair is made and its private half downloaded.">
        <textarea id="key-material" rows={4} spellcheck={false} aria-describedby="key-material-hint" value={material}
          onInput={(event) => setMaterial(event.currentTarget.value)} />
      </Field>
    </Dialog>
  );
}

export function KeysPage({ session }: PageProps) {
  const { value: keys, again } = useReading(
    async () => (await session.cloud.call('DescribeKeyPairs')).items('keySet').map(readKeyPair),
    [session],
  );
  const [adding, setAdding] = useState(false);
  const [doomed, setDoomed] = useState<KeyPair | null>(null);
  const remove = async (key: KeyPair) => {
    setDoomed(null);
    if (await attempt(() => session.cloud.call('DeleteKeyPair', { KeyName: key.name }), `${key.name} was deleted`)) again();
  };
  return (
    <>
      <Heading actions={<Button icon="launch" kind="primary" onClick={() => setAdding(true)}>Add a key pair</Button>}>
        Key pairs
      </Heading>
      {!keys && <Loading />}
      {keys?.length === 0 && <Empty title="There are no key pairs yet: with one you log in to instances over SSH." />}
      {keys && keys.length > 0 && (
        <div class="card table">
          <table aria-label="Key pairs">
            <thead>
              <tr>
                {['Name', 'Kind', 'Fingerprint', 'Added', 'Actions'].map((title) => (
                  <th key={title} scope="col">{title}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {keys.map((key) => (
                <tr key={key.id}>
                  <th scope="row">{key.name}</th>
                  <td data-label="Kind">{key.type}</td>
                  <td data-label="Fingerprint" class="long">{key.fingerprint}</td>
                  <td data-label="Added">{ago(key.created)}</td>
                  <td data-label="Actions">
                    <button type="button" class="plain" aria-label={`Delete ${key.name}`} onClick={() => setDoomed(key)}>
                      Delete
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {adding && (
        <NewKey session={session} onClose={() => setAdding(false)}
          onDone={() => {
            setAdding(false);
            again();
          }} />
      )}
      {doomed && (
        <Dialog danger title={`Delete ${doomed.name}?`} confirm="Delete" onClose={() => setDoomed(null)}
          onConfirm={() => void remove(doomed)}>
          <p>Instances that were launched with it keep it; new ones cannot have it.</p>
        </Dialog>
      )}
    </>
  );
}
