// What an instance is, and how to get in.
import type { ComponentChildren } from 'preact';
import { type Instance, labelOf } from '../api/records';
import { hrefOf } from '../data/address';
import { useValue } from '../data/observable';
import { moment } from '../ui/format';
import { Command, Copy } from '../ui/parts';
import type { TabProps } from './instance';

function Fact({ label, copy, children }: { label: string; copy?: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        {children}
        {copy && <Copy text={copy} what={label.toLowerCase()} />}
      </dd>
    </div>
  );
}

// "127.77.0.5" has the port 22, "127.0.0.1:40022" its own.
function sshCommand(instance: Instance): string {
  const [address = '', port] = instance.publicAddress.split(':');
  return `ssh ${port ? `-p ${port} ` : ''}debian@${address}`;
}

function Connect({ instance }: { instance: Instance }) {
  if (instance.state !== 'running') return null;
  return (
    <section class="card" aria-labelledby="connect">
      <h2 id="connect">Connect</h2>
      {instance.publicAddress ? (
        <>
          <Command text={`pileus ssh ${labelOf(instance)}`} what="the pileus command" />
          <Command text={sshCommand(instance)} what="the ssh command" />
          <p class="hint">From its host; with the private half of its key pair.</p>
        </>
      ) : (
        <p class="quiet">
          None of its security groups lets anybody in from outside, so SSH does not reach it. The{' '}
          <a href={hrefOf(['instances', instance.id, 'console'])}>serial console</a> does.
        </p>
      )}
    </section>
  );
}

export function OverviewTab({ instance, inventory }: TabProps) {
  useValue(inventory.images);
  const again = hrefOf(['launch'], {
    image: instance.image, type: instance.type, key: instance.key, groups: instance.groups.map((each) => each.id).join(','),
  });
  return (
    <>
      <Connect instance={instance} />
      <section class="card" aria-labelledby="details">
        <h2 id="details">
          Details <a class="aside" href={again}>Launch another like this</a>
        </h2>
        <dl class="facts">
          <Fact label="Id" copy={instance.id}>{instance.id}</Fact>
          <Fact label="Image">{inventory.imageName(instance.image)}</Fact>
          <Fact label="Type">{instance.type}, {instance.vcpus} vCPU</Fact>
          <Fact label="Key pair">{instance.key || 'none'}</Fact>
          <Fact label="Private address" copy={instance.privateAddress}>{instance.privateAddress || '–'}</Fact>
          <Fact label="Reached at" copy={instance.publicAddress}>{instance.publicAddress || '–'}</Fact>
          <Fact label="Zone">{instance.zone}</Fact>
          {instance.host && <Fact label="Host">{instance.host}</Fact>}
          <Fact label="Network">{instance.network} {instance.subnet}</Fact>
          <Fact label="Security groups">{instance.groups.map((group) => group.name).join(', ') || '–'}</Fact>
          <Fact label="Volumes">{instance.volumes.map((disk) => `${disk.device} ${disk.id}`).join(', ') || '–'}</Fact>
          <Fact label="Launched">{moment(instance.launched)}</Fact>
        </dl>
      </section>
      {instance.tags.length > 0 && (
        <section class="card" aria-labelledby="tags">
          <h2 id="tags">Tags</h2>
          <dl class="facts">
            {instance.tags.map(([key, value]) => (
              <Fact key={key} label={key}>{value}</Fact>
            ))}
          </dl>
        </section>
      )}
    </>
  );
}
