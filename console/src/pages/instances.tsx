// All instances, with a filter that the page's address keeps.
import { useState } from 'preact/hooks';
import { type Instance, labelOf } from '../api/records';
import { hrefOf } from '../data/address';
import { matches } from '../data/filter';
import { useValue } from '../data/observable';
import { replaceRoute, route } from '../data/route';
import { ago, moment } from '../ui/format';
import { Icon } from '../ui/icon';
import { Empty, Heading, Loading, State } from '../ui/parts';
import type { PageProps } from './page';
import { Power } from './power';

interface RowProps {
  instance: Instance;
  image: string;
  chosen: boolean;
  onChoose: (chosen: boolean) => void;
}

function Row({ instance, image, chosen, onChoose }: RowProps) {
  return (
    <tr class={chosen ? 'chosen' : ''}>
      <td class="check">
        <input type="checkbox" aria-label={`Select ${labelOf(instance)}`} checked={chosen}
          onChange={(event) => onChoose(event.currentTarget.checked)} />
      </td>
      <th scope="row">
        <a href={hrefOf(['instances', instance.id])}>{labelOf(instance)}</a>
        {instance.name && <span class="id">{instance.id}</span>}
      </th>
      <td data-label="State">
        <State value={instance.state} />
      </td>
      <td data-label="Type">{instance.type}</td>
      <td data-label="Image">{image}</td>
      <td data-label="Private address">{instance.privateAddress || '–'}</td>
      <td data-label="Reached at">{instance.publicAddress || '–'}</td>
      <td data-label="Launched" title={moment(instance.launched)}>
        {ago(instance.launched)}
      </td>
    </tr>
  );
}

function Filter({ filter }: { filter: string }) {
  return (
    <div class="filter" role="search">
      <Icon name="search" />
      <input type="search" aria-label="Filter instances" placeholder="Filter: name, id, address, state:running, tag:value"
        value={filter} spellcheck={false}
        onInput={(event) => replaceRoute(['instances'], { filter: event.currentTarget.value })} />
    </div>
  );
}

export function InstancesPage({ session, inventory }: PageProps) {
  const all = useValue(inventory.instances);
  useValue(inventory.images);
  const problem = useValue(inventory.problem);
  const filter = useValue(route).query.get('filter') ?? '';
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const shown = (all ?? []).filter((each) => matches(each, filter));
  const selected = shown.filter((each) => chosen.has(each.id));
  const choose = (id: string, wanted: boolean) => {
    const next = new Set(chosen);
    if (wanted) next.add(id);
    else next.delete(id);
    setChosen(next);
  };
  const launch = (
    <a class="button primary" href={hrefOf(['launch'])}>
      <Icon name="launch" />
      Launch
    </a>
  );
  return (
    <>
      <Heading actions={launch}>Instances</Heading>
      {problem && <p class="problem" role="alert">{problem}</p>}
      <div class="toolbar">
        <Filter filter={filter} />
        <Power session={session} instances={selected} onDone={() => setChosen(new Set())} />
      </div>
      <p class="count" role="status">
        {all && `${shown.length} of ${all.length} instances${selected.length > 0 ? `, ${selected.length} selected` : ''}`}
      </p>
      {!all && <Loading />}
      {all && shown.length === 0 && (
        <Empty title={filter === '' ? 'There are no instances yet.' : 'No instance is like that.'} />
      )}
      {shown.length > 0 && (
        <div class="card table">
          <table aria-label="Instances">
            <thead>
              <tr>
                <td class="check">
                  <input type="checkbox" aria-label="Select all" checked={selected.length === shown.length}
                    onChange={(event) => setChosen(new Set(event.currentTarget.checked ? shown.map((each) => each.id) : []))} />
                </td>
                {['Name', 'State', 'Type', 'Image', 'Private address', 'Reached at', 'Launched'].map((title) => (
                  <th key={title} scope="col">
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {shown.map((each) => (
                <Row key={each.id} instance={each} image={inventory.imageName(each.image)} chosen={chosen.has(each.id)}
                  onChoose={(wanted) => choose(each.id, wanted)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
