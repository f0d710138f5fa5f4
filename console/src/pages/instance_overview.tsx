// What an instance is, and how to get in.
import { type Instance, labelOf, readInstances } from '../api/records';
import { hrefOf } from '../data/address';
import { useValue } from '../data/observable';
import { Fact } from '../ui/facts';
import { moment } from '../ui/format';
import { Command } from '../ui/parts';
import type { TabProps } from './instance';
import { TagsCard } from './tags';

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

export function OverviewTab({ session, instance, inventory }: TabProps) {
  useValue(inventory.images);
  const readAgain = async () =>
    inventory.put(readInstances(await session.cloud.call('DescribeInstances', { 'InstanceId.1': instance.id })));
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
          <Fact label="Volumes">
            {instance.volumes.length === 0 && '–'}
            <span>
              {instance.volumes.map((disk) => (
                <a key={disk.id} class="block" href={hrefOf(['volumes', disk.id])}>{disk.device} {disk.id}</a>
              ))}
            </span>
          </Fact>
          <Fact label="Launched">{moment(instance.launched)}</Fact>
        </dl>
      </section>
      <TagsCard cloud={session.cloud} id={instance.id} tags={instance.tags} onChange={readAgain} />
    </>
  );
}
