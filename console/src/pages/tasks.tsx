// What goes on and went on: imports and exports with how far they are, and what happened to the instances last.
import { kTaskKinds, readTask, type Task } from '../api/tasks';
import { hrefOf } from '../data/address';
import { useFollowed } from '../data/reading';
import type { Session } from '../data/session';
import { Empty, Heading, Loading, State } from '../ui/parts';
import { Table } from '../ui/table';
import { attempt } from '../ui/toasts';
import { LatestEvents } from './latest_events';
import type { PageProps } from './page';

const kTitles = ['Task', 'State', 'Progress', 'File', 'Makes or takes', 'Actions'];

async function readTasks({ cloud }: Session): Promise<Task[]> {
  const all = await Promise.all(kTaskKinds.map((kind) => cloud.all(kind.action, kind.set, (node) => readTask(kind, node))));
  const rank = (task: Task) => (task.state === 'ongoing' ? 0 : 1);
  return all.flat().sort((a, b) => rank(a) - rank(b) || a.id.localeCompare(b.id));
}

function Result({ id }: { id: string }) {
  if (id === '') return <>–</>;
  return id.startsWith('snap-') ? <a href={hrefOf(['snapshots', id])}>{id}</a> : <>{id}</>;
}

function Row({ task, session, again }: { task: Task; session: Session; again: () => void }) {
  const cancel = async () => {
    const parameters = { [task.cancel === 'CancelImportTask' ? 'ImportTaskId' : 'ExportTaskId']: task.id };
    if (await attempt(() => session.cloud.call(task.cancel, parameters), `${task.id} was given up`)) again();
  };
  return (
    <tr>
      <th scope="row">
        {task.description || task.what}
        <span class="id">{task.description ? `${task.what}, ${task.id}` : task.id}</span>
      </th>
      <td data-label="State"><State value={task.state} /></td>
      <td data-label="Progress" class="wraps">{task.state === 'ongoing' ? `${task.percent} %` : ''} {task.message}</td>
      <td data-label="File" class="long">{task.place || '–'}</td>
      <td data-label="Makes or takes"><Result id={task.result} /></td>
      <td data-label="Actions">
        {task.state === 'ongoing' && (
          <button type="button" class="plain" aria-label={`Give up ${task.id}`} onClick={() => void cancel()}>
            Give up
          </button>
        )}
      </td>
    </tr>
  );
}

export function TasksPage({ session, inventory }: PageProps) {
  const { value: tasks, again } = useFollowed(
    () => readTasks(session),
    [session],
    (all) => all.some((task) => task.state === 'ongoing'),
  );
  return (
    <>
      <Heading>Tasks</Heading>
      <section aria-labelledby="tasks">
        <h2 id="tasks">Imports and exports</h2>
        {!tasks && <Loading />}
        {tasks?.length === 0 && <Empty title="There are none: `pileus image import` and `pileus image export` begin them." />}
        {tasks && tasks.length > 0 && (
          <Table label="Imports and exports" titles={kTitles}>
            {tasks.map((task) => (
              <Row key={task.id} task={task} session={session} again={again} />
            ))}
          </Table>
        )}
      </section>
      <LatestEvents session={session} inventory={inventory} />
    </>
  );
}
